"""Jobs: what was accepted is kept on disk first, then worked off by a few threads.

A job that the process didn't finish is taken up again when it starts, or by another process that
shares the catalogue as soon as its lease ends. What fails of something that may pass is tried
again, later and later, until it has cost the job's patience.
"""

import hashlib
import math
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import structlog

from ingest import quotas
from ingest.errors import Cancelled, IngestError, ParserStopped, ProcessesEnded
from ingest.job_store import Failure, Job, JobStore
from ingest.leased_queue import LeasedQueue
from ingest.leases import TOGETHER, LeaseLost, Leases
from ingest.pipeline import Pipeline, identify
from ingest.queues import LocalQueue, Queue
from ingest.retrying import delay, may_pass
from ingest.types import Source, Stage
from retrieval import access, removal
from retrieval.embedding.cache import forget_unused
from retrieval.engine import Engine
from retrieval.errors import (
    DataLost,
    InvalidRequest,
    KnowledgeBaseNotFound,
    NotFound,
    RetrievalError,
    StoreUnavailable,
)
from retrieval.indexing import Published
from retrieval.side_by_side import side_by_side
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()

# Documents in hand, so that the embedder finds batches of equal length: on two cores 4 come to
# 0.69 of the model's own rate, 8 to 0.83, 16 to no more.
WORKERS = 8
PATIENCE = 24 * 3600.0  # seconds that a job is tried again: an Ollama server that is off overnight

_REMEMBERED = 2 * quotas.MAX_WAITING
_LOOK = 1.0  # seconds between two looks at what other processes ended
_SEEN, _READ = 0.1, 0.5  # seconds between two looks at a job, in memory and in a shared catalogue
# Processes that may end over one job, the last of them over nothing else: what is too much for each
# stops all of them.
_GIVEN_UP = TOGETHER + 3
_LEFT = 3.0  # seconds until a job is looked at again that the catalogue couldn't take
_KEPT = 30 * 24 * 3600.0  # seconds that a job which is over can be asked for
_TIDY = 3600.0
_STRAYS = 24 * 3600.0


class JobNotFound(NotFound):
    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no job {job_id!r}.")


@dataclass(frozen=True, slots=True)
class Request:
    """A source to ingest, and how: see `Pipeline.ingest`."""

    source: Source
    unique: bool = True
    document_id: str | None = None


class Jobs:
    """Accepts sources, works them off in the background and tells how far they are."""

    def __init__(
        self,
        engine: Engine,
        pipeline: Pipeline,
        workers: int = WORKERS,
        patience: float = PATIENCE,
        most: int = 0,
    ) -> None:
        """`workers`: jobs worked on side by side here, 0 to leave them to others; `most`: in all
        processes that share the catalogue, 0 for any number; `patience`: seconds that a job is
        tried again.
        """
        self._engine = engine
        self._pipeline = pipeline
        self._works = workers > 0
        self._patience = patience
        self._store = JobStore(engine.database)
        self._active: dict[str, Job] = {}
        self._ended: dict[str, Job] = {}  # the last, for those who wait though they are gone by now
        self._cancelled: set[str] = set()
        self._claim = threading.RLock()  # a job is either begun, taken back or finished
        self._changed = threading.Condition()  # held for no longer than to wait, and to tell
        self._changes = 0
        self._queue: Queue = (
            LeasedQueue(self._store, Leases(engine.database, most), lambda: dict(self._active))
            if engine.database.shared
            else LocalQueue(self._store)
        )
        self._uncalibrated: set[str] = set()  # knowledge bases that may have to be
        self._idle = threading.Event()
        self._remains = True  # there may be vectors of attempts that came to nothing
        self._closing = threading.Event()
        self._refusals = ThreadPoolExecutor(1, thread_name_prefix="ingest-refusals")
        self._threads = [
            threading.Thread(target=self._run, name=f"ingest-{number}", daemon=True)
            for number in range(workers)
        ]
        self._threads.append(threading.Thread(target=self._tidy, name="ingest-tidy", daemon=True))

    def start(self) -> None:
        """Begin to work, first on what an earlier process left."""
        self._queue.start()
        self._forget_unused()
        known = self._engine.calibrations
        everything = self._engine.knowledge_bases.all()
        self._uncalibrated.update(kb.id for kb in everything if known.of(kb) is None)
        self._idle.set()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more, and let nobody wait. The next start takes up what isn't finished."""
        self._closing.set()
        self._idle.set()
        self._tell()
        self._queue.stop()

    def close(self) -> None:
        """Stop, and return when nothing is worked on any more."""
        self.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._refusals.shutdown()
        self._queue.close()

    def submit(self, kb: KnowledgeBase, requests: Sequence[Request]) -> list[Job]:
        """Accept sources: once this returns they survive a crash. The jobs as they stand, of which
        some may have been taken back by now.

        Raises Overloaded, QuotaExceeded, StoreUnavailable, and KnowledgeBaseNotFound if it is gone
        by now. Where this raises, none of them is ingested; each that is known by then fails, of
        the same error if the catalogue can be told in time. One case is left: it took that all
        came, and was away before it could say so.
        """
        if len(requests) > quotas.MAX_WAITING:
            raise InvalidRequest(
                f"{len(requests):,} documents at once are too many; {quotas.MAX_WAITING:,} may be "
                f"sent."
            )
        now = time.time()
        accepted = [(_new_job(kb, request, now), request.source) for request in requests]
        # The rows come first: from then on nobody begins to delete bytes that they refer to.
        kept = self._queue.accept(accepted)
        try:
            removal.await_deletion(self._engine.database, [job.blob for job in kept])
            originals = {job.blob: source.data for job, source in accepted}
            with side_by_side(self._engine.blobs.put, originals.values()):
                pass
            found = {job.id: job for job in self._queue.put(kept)}
        except BaseException as error:
            self._give_up(kept, Failure(type(error).__name__, str(error)))
            raise
        return self._as_they_stand(kb, kept, found)

    def _give_up(self, jobs: Sequence[Job], failure: Failure) -> None:
        """End jobs that weren't accepted after all: as soon as the catalogue can be told. Until
        then nobody works on them, nor when this process is gone: they weren't received.
        """
        if self._refused(jobs, failure):
            return
        try:
            self._refusals.submit(self._refuse, jobs, failure)
        except RuntimeError as error:  # it closes, or gets no thread: others see to them
            _log.warning("not_refused", jobs=len(jobs), error=str(error))
            for job in jobs:
                self._queue.leave(job.id)

    def _refuse(self, jobs: Sequence[Job], failure: Failure) -> None:
        while not self._refused(jobs, failure):
            if self._closing.wait(_LOOK):
                return

    def _refused(self, jobs: Sequence[Job], failure: Failure) -> bool:
        """Whether the catalogue could be told that these jobs failed."""
        try:
            refused = self._queue.refuse(jobs, failure)
        except Exception as error:  # noqa: BLE001 - whatever it is, they don't wait for ever
            _log.warning("not_refused", jobs=len(jobs), error=str(error))
            return False
        for _ in refused:
            self._engine.observer.ingested(Stage.FAILED.value)
        self._clean([job.blob for job in jobs])
        self._tell()
        return True

    def _as_they_stand(
        self, kb: KnowledgeBase, accepted: Sequence[Job], found: Mapping[str, Job]
    ) -> list[Job]:
        """What became of jobs while they were being received; nobody needs the bytes of those that
        are over. One that is gone was taken back with its document, or with its knowledge base.
        """
        jobs = [found.get(job.id, replace(job, state=Stage.CANCELLED)) for job in accepted]
        if over := [job.blob for job in jobs if job.state.final]:
            self._engine.indexer.release(over)
        if accepted and not found and self._is_gone(kb.id):
            raise KnowledgeBaseNotFound(kb.name)
        return jobs

    def unchanged(self, kb: KnowledgeBase, source: Source) -> Job:
        """A job that is over, for a source that is known to be what its document holds."""
        job = _new_job(kb, Request(source), time.time())
        job = replace(job, state=Stage.DONE, outcome=Published.UNCHANGED.value)
        [job] = self._store.add([(job, source)])
        self._engine.observer.ingested(_outcome(job))
        return job

    def get(self, job_id: str) -> Job:
        """Where a job stands now. Raises JobNotFound."""
        return _visible(job_id, self._active.get(job_id) or self._store.get(job_id))

    def pace(self, job_id: str) -> float:
        """Seconds between two looks at a job that somebody follows: one that another process may be
        working on has to be read.
        """
        return _READ if self._queue.shared and job_id not in self._active else _SEEN

    def cancel(self, job_id: str) -> Job:
        """Take a job back, unless it is final already. Raises JobNotFound."""
        with self._claim:
            job = self.get(job_id)
            if job_id in self._active:
                self._cancelled.add(job_id)
                # So that it stays taken back if this process ends before the job does.
                self._store.end([job_id], Stage.CANCELLED)
            elif not job.state.final:
                self._finish(replace(job, state=Stage.CANCELLED))
        return self._known(job_id)

    def wait(self, job_ids: Sequence[str], timeout: float | None = None) -> list[Job]:
        """The jobs as they stand when all are final or put off, or the time (seconds) is up.

        Doesn't wait for what a closing process leaves to the next. A job that went with its
        document is told as it ended. Raises JobNotFound, also for one that went with its knowledge
        base before it had ended.
        """
        remaining = list(reversed(job_ids))

        def all_settled() -> bool:
            while remaining and self._is_settled(remaining[-1]):
                remaining.pop()
            return not remaining

        self._look_until(lambda: self._closing.is_set() or all_settled(), timeout)
        return [self._known(job_id) for job_id in job_ids]

    def _look_until(self, true: Callable[[], bool], timeout: float | None) -> None:
        """Wait until something is true, at most so many seconds."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        seen = self._changes
        while not true() and (left := end - time.monotonic()) > 0:
            longest = min(left, _LOOK) if self._queue.shared else left
            seconds = None if longest == math.inf else longest
            with self._changed:
                self._changed.wait_for(partial(self._has_changed, seen), seconds)
                seen = self._changes

    def _has_changed(self, since: int) -> bool:
        return self._changes != since

    def _is_settled(self, job_id: str) -> bool:
        """Whether there is nothing to wait for now, also where one before it is put off."""
        if self._known(job_id).settled:
            return True
        first = self._queue.first(job_id)
        try:
            return first is not None and self.get(first).retry_at is not None
        except JobNotFound:
            return False

    def _known(self, job_id: str) -> Job:
        """Where a job stands, or how it ended a moment ago. Raises JobNotFound."""
        try:
            return self.get(job_id)
        except JobNotFound:
            return _visible(job_id, self._ended.get(job_id))

    def remove(self, kb: KnowledgeBase, document_id: str) -> None:
        """Forget a document everywhere, also what is on its way to it. Raises DocumentNotFound."""
        coming = self.coming(kb, document_id)
        for job_id in coming:
            self.cancel(job_id)
        self.wait(coming)
        self._engine.indexer.remove(kb, document_id)

    def abandon(self, kb: KnowledgeBase) -> None:
        """Stop what is on its way to a knowledge base that is gone."""
        with self._claim:
            self._cancelled.update(job.id for job in self.at_work(kb.id))

    def coming(self, kb: KnowledgeBase, document_id: str) -> list[str]:
        """The jobs of a document that aren't over."""
        at_work = [job.id for job in self.at_work(kb.id) if job.document_id == document_id]
        return list(dict.fromkeys([*at_work, *self._store.of_document(kb.id, document_id)]))

    def newest(
        self, limit: int, offset: int = 0, kb_id: str | None = None, state: Stage | None = None
    ) -> list[Job]:
        """Jobs, the newest first, as they stand now."""
        active = {job.id: job for job in self.at_work(kb_id)}
        if state is None or state.final or self._queue.shared:
            kept = self._store.newest(limit, offset, kb_id, state)
            return [active.get(job.id, job) for job in kept]
        if state is Stage.QUEUED:
            kept = self._store.newest(limit + offset + len(active), 0, kb_id, state)
            found = [job for job in kept if job.id not in active]
        else:
            found = [job for job in active.values() if job.state is state]
            found.sort(key=lambda job: -job.created_at)
        return found[offset : offset + limit]

    def at_work(self, kb_id: str | None = None) -> list[Job]:
        """The jobs that are being worked on, of one knowledge base if that is given, as far as they
        exist for who asks.
        """
        about = [job for job in [*self._active.values()] if kb_id in (None, job.kb_id)]
        return [job for job in about if access.may_see(job.knowledge_base)]

    def moved(self, since: float, kb_id: str) -> list[Job]:
        """The jobs of a knowledge base that came or changed from that time on, as they stand now,
        and those that are being worked on.
        """
        active = {job.id: job for job in self.at_work(kb_id)}
        kept = self._store.moved(since, kb_id)
        over = [job for job in kept if job.id not in active]
        return [*over, *active.values()]

    def counts(self, kb_id: str | None = None) -> dict[Stage, int]:
        """How many jobs are in each state."""
        at_work = self.at_work(kb_id)
        found = Counter(self._store.counts(kb_id, [job.id for job in at_work]))
        found.update(job.state for job in at_work)
        return dict(found)

    def unfinished(self) -> int:
        """How many jobs wait or are being worked on."""
        return sum(count for stage, count in self.counts().items() if not stage.final)

    def _run(self) -> None:
        while (job_id := self._queue.take()) is not None:
            try:
                if job := self._begin(job_id):
                    self._work(job)
                else:
                    self._tell()  # it may have gone with its knowledge base
            except StoreUnavailable as error:
                _log.warning("job_left", job=job_id, error=str(error))
                self._queue.give_back(job_id, _LEFT)
            except Exception:  # noqa: BLE001 - the thread goes on, and so will the job
                _log.exception("job_left", job=job_id)
                self._queue.give_back(job_id, _LEFT)

    def _tidy(self) -> None:
        """Between the jobs, and now and then beside them: what nobody waits for."""
        pruned, looked = time.monotonic(), -math.inf
        while not self._closing.is_set():
            self._idle.wait(_TIDY)
            self._idle.clear()
            try:
                if self._works:
                    self._calibrate()
                if time.monotonic() - pruned >= _TIDY:
                    self._store.prune(time.time() - _KEPT)
                    pruned = time.monotonic()
                if time.monotonic() - looked >= _STRAYS:
                    looked = time.monotonic()
                    self._release_strays()
            except _Interrupted:
                return
            except RetrievalError as error:
                _log.warning("not_tidied", error=str(error))
            except Exception:  # noqa: BLE001 - the thread goes on, and does the rest next time
                _log.exception("not_tidied")

    def _release_strays(self) -> None:
        """Delete the bytes that a process left when it ended. All there are have to be listed for
        that, of a bucket that may hold millions: beside all work, and once a day.
        """

        def kept() -> Iterator[str]:
            for digest in self._engine.blobs.digests():
                self._carry_on()
                yield digest

        for stray in removal.strays(self._engine.database, kept()):
            self._engine.indexer.release([stray])

    def _calibrate(self) -> None:
        """Measure the legs of knowledge bases that have grown, or never were measured."""
        while self._uncalibrated:
            if kb := self._engine.knowledge_bases.by_id(self._uncalibrated.pop()):
                self._engine.calibrator.refresh(kb, self._carry_on)

    def _carry_on(self) -> None:
        if self._closing.is_set():
            raise _Interrupted

    def _begin(self, job_id: str) -> Job | None:
        """The job, from now on this thread's to work on; none if there is nothing left to do."""
        with self._claim:
            if job_id in self._active:
                return None
            job = self._store.get(job_id)
            if job is None or job.state.final:
                self._queue.leave(job_id)
                return None
            job = replace(job, attempts=job.attempts + 1, retry_at=None, error=None)
            self._active[job_id] = job
            return job

    def _work(self, job: Job) -> None:
        try:
            done = self._ingest(job)
        except _NotReceived:
            done = _not_received(job)
        except _Elsewhere:
            self._leave_to_others(job)
            return
        except _Interrupted:
            self._active.pop(job.id, None)  # as it was: the next start takes it up
            self._queue.give_back(job.id)
            return
        except LeaseLost:
            if job.id in self._cancelled:
                done = replace(job, state=Stage.CANCELLED)
            elif self._is_gone(job.kb_id):
                done = self._failed(job, KnowledgeBaseNotFound(job.knowledge_base))
            else:
                self._lose(job)
                return
        except Cancelled:
            done = replace(job, state=Stage.CANCELLED)
        except (IngestError, RetrievalError) as error:
            done = self._failed(job, error)
        except Exception as error:  # noqa: BLE001 - a job always ends in a final state
            _log.exception("ingest_failed", job=job.id)  # which knows the file; names tell things
            done = self._failed(job, error)
        self._finish(done)

    def _leave_to_others(self, job: Job) -> None:
        """Another process has the bytes; one that doesn't come back is waited for long enough."""
        young = time.time() - job.created_at < self._patience
        if young and job.id not in self._cancelled:
            self._active.pop(job.id, None)
            self._queue.decline(job.id)
        else:
            self._finish(_not_received(job))

    def _failed(self, job: Job, error: Exception) -> Job:
        """The job after this error: put off if it may pass, else over."""
        failure = Failure(type(error).__name__, str(error))
        if may_pass(error, job.attempts):
            retry_at = time.time() + delay(job.attempts)
            if retry_at - job.created_at < self._patience:
                return replace(job, state=Stage.QUEUED, error=failure, retry_at=retry_at)
            failure = replace(failure, message=f"{error} It was tried {job.attempts} times.")
        return replace(job, state=Stage.FAILED, error=failure)

    def _ingest(self, job: Job) -> Job:
        kb = self._engine.knowledge_bases.by_id(job.kb_id)
        if kb is None:
            raise KnowledgeBaseNotFound(job.knowledge_base)
        if job.lapses >= _GIVEN_UP:
            raise ProcessesEnded(
                f"{job.uri} was given up: {job.lapses} processes ended, or were away for too long, "
                f"while they worked on it, the last {_GIVEN_UP - TOGETHER} on nothing else. It may "
                f"take more memory than they have."
            )
        data = self._bytes(job)
        self._engine.embedders.of(kb)
        source = self._store.source(job.id, data)

        def progress(stage: Stage, done: int, total: int) -> None:
            if job.id in self._cancelled:
                raise Cancelled(f"The ingestion of {source.name} was cancelled.")
            self._carry_on()
            self._queue.check(job.id)
            # Not written down: a process that dies leaves it queued, which is where it then is.
            self._active[job.id] = replace(job, state=stage, done=done, total=total)

        try:
            ingested = self._pipeline.ingest(
                kb,
                source,
                progress,
                unique=job.unique,
                document_id=job.document_id,
                permit=self._queue.permit(job.id),
            )
        except ParserStopped as error:
            if self._closing.is_set():
                raise _Interrupted from error
            raise
        return replace(
            job,
            document_id=ingested.document_id,
            state=Stage.DONE,
            outcome=ingested.outcome.value,
            done=ingested.chunks,
            total=ingested.chunks,
        )

    def _bytes(self, job: Job) -> bytes:
        """What a job is to ingest. Raises _NotReceived where whoever sent it wasn't told that it
        came, _Elsewhere where another process has it, DataLost, StoreUnavailable.
        """
        if not job.received:
            raise _NotReceived
        try:
            return self._engine.blobs.get(job.blob)
        except DataLost as error:
            if self._engine.blobs.has(job.blob):
                raise
            if self._queue.shared and not self._engine.settings.blobs_url:
                raise _Elsewhere from error
            raise

    def _finish(self, job: Job) -> None:
        """Keep how an attempt ended, and no bytes that nobody needs any more."""
        with self._claim:
            if job.id in self._cancelled and job.state is not Stage.DONE:
                job = replace(job, state=Stage.CANCELLED, retry_at=None, error=None)
            try:
                kept = self._queue.keep(job)
            finally:
                self._active.pop(job.id, None)
            if not kept:
                self._lose(job)
                return
            self._engine.observer.ingested(_outcome(job))
            self._cancelled.discard(job.id)
            if job.state.final:
                self._remember(job)
                self._uncalibrated.add(job.kb_id)
                if self._queue.idle:
                    self._idle.set()
            elif job.retry_at is not None:
                self._remains = True
        if job.state.final:
            self._clean([] if job.outcome in _KEEPS_BYTES else [job.blob])
        self._tell()

    def _lose(self, job: Job) -> None:
        """Leave a job to who has it now, or took it back."""
        _log.warning("job_lost", job=job.id)
        with self._claim:
            self._active.pop(job.id, None)
            self._cancelled.discard(job.id)
            self._queue.leave(job.id)
        self._remains = True
        self._clean([job.blob])
        self._tell()

    def _is_gone(self, kb_id: str) -> bool:
        try:
            return self._engine.knowledge_bases.by_id(kb_id) is None
        except StoreUnavailable:
            return False  # nobody can tell now, nor needs to

    def _remember(self, job: Job) -> None:
        self._ended[job.id] = job
        while len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]

    def _clean(self, unused: Sequence[str]) -> None:
        """Delete bytes and vectors that nobody needs any more."""
        self._engine.indexer.release(unused)
        try:
            self._forget_unused()
        except RetrievalError as error:  # `footnote doctor` finds them
            _log.warning("vectors_left", error=str(error))

    def _forget_unused(self) -> None:
        """Delete the vectors that attempts left which came to nothing, if no others go on."""
        if self._remains and not self._store.has_unfinished():
            self._remains = not forget_unused(self._engine.database)

    def _tell(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changes += 1
            self._changed.notify_all()


_KEEPS_BYTES = (Published.ADDED.value, Published.UPDATED.value)


def _visible(job_id: str, job: Job | None) -> Job:
    """The job, if there is one for who asks. Raises JobNotFound."""
    if job is None or not access.may_see(job.knowledge_base):
        raise JobNotFound(job_id)
    return job


def _outcome(job: Job) -> str:
    """How an attempt ended, in one word of few."""
    return job.outcome or (job.state.value if job.state.final else "retried")


def _not_received(job: Job) -> Job:
    reason = f"{job.uri} was still being received when the server stopped: send again."
    return replace(job, state=Stage.FAILED, error=Failure("NotReceived", reason))


class _Elsewhere(Exception):
    """Each process has its own originals, and these are another's."""


class _NotReceived(Exception):
    """The process that was receiving the bytes ended."""


class _Interrupted(Exception):
    """The process stops; the job goes on in the next one."""


def _new_job(kb: KnowledgeBase, request: Request, now: float) -> Job:
    source = request.source
    return Job(
        id=uuid.uuid4().hex,
        kb_id=kb.id,
        knowledge_base=kb.name,
        uri=source.uri,
        document_id=request.document_id or identify(kb, source.uri),
        blob=hashlib.sha256(source.data).hexdigest(),
        unique=request.unique,
        state=Stage.QUEUED,
        outcome=None,
        done=0,
        total=0,
        error=None,
        attempts=0,
        lapses=0,
        received=False,
        retry_at=None,
        created_at=now,
        updated_at=now,
    )
