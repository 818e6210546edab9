"""Jobs: what was accepted is kept on disk first, then worked off by a few threads.

A job that the process didn't finish is taken up again when it starts.
"""

import hashlib
import queue
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from ingest.errors import Cancelled, IngestError, ParserStopped
from ingest.job_store import Failure, Job, JobStore
from ingest.pipeline import Pipeline, identify
from ingest.types import Source, Stage
from retrieval.engine import Engine
from retrieval.errors import KnowledgeBaseNotFound, NotFound, Overloaded, RetrievalError
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()

WORKERS = 4  # enough documents in hand that the embedder finds full batches
MAX_WAITING = 10_000


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

    def __init__(self, engine: Engine, pipeline: Pipeline, workers: int = WORKERS) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._store = JobStore(engine.database)
        self._active: dict[str, Job] = {}
        self._cancelled: set[str] = set()
        self._claim = threading.RLock()  # a job is either begun, taken back or finished
        self._changed = threading.Condition()
        self._waiting: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, name=f"ingest-{number}", daemon=True)
            for number in range(workers)
        ]

    def start(self) -> None:
        """Begin to work, first on what an earlier process left."""
        for job_id in self._store.unfinished():
            self._waiting.put(job_id)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin nothing more, and let nobody wait. The next start takes up what isn't finished."""
        self._closing = True
        self._tell()
        for _ in self._threads:
            self._waiting.put("")

    def close(self) -> None:
        """Stop, and return when nothing is worked on any more."""
        self.stop()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def submit(self, kb: KnowledgeBase, requests: Sequence[Request]) -> list[Job]:
        """Accept sources: once this returns they survive a crash.

        Raises Overloaded, and KnowledgeBaseNotFound if it is gone by now.
        """
        waiting = self._store.count_unfinished()
        if waiting + len(requests) > MAX_WAITING:
            raise Overloaded(
                f"{waiting} documents wait to be ingested; {MAX_WAITING} may. Try again later."
            )
        now = time.time()
        accepted = [(_new_job(kb, request, now), request.source) for request in requests]
        # The rows come first: bytes that an unfinished job refers to are never cleaned away.
        self._store.add(accepted)
        try:
            for _, source in accepted:
                self._engine.blobs.put(source.data)
        except RetrievalError as error:
            for job, _ in accepted:
                self._finish(replace(job, state=Stage.FAILED, error=_failure(error)))
            raise
        for job, _ in accepted:
            self._waiting.put(job.id)
        return [job for job, _ in accepted]

    def get(self, job_id: str) -> Job:
        """Where a job stands now. Raises JobNotFound."""
        job = self._active.get(job_id) or self._store.get(job_id)
        if job is None:
            raise JobNotFound(job_id)
        return job

    def cancel(self, job_id: str) -> Job:
        """Take a job back, unless it is final already. Raises JobNotFound."""
        with self._claim:
            job = self.get(job_id)
            if job_id in self._active:
                self._cancelled.add(job_id)
            elif not job.state.final:
                job = replace(job, state=Stage.CANCELLED)
                self._finish(job)
        return job

    def wait(self, job_ids: Sequence[str], timeout: float | None = None) -> list[Job]:
        """The jobs as they stand when all are final, or when the time (seconds) is up.

        Doesn't wait for what a closing process leaves to the next. Raises JobNotFound, also for a
        job whose knowledge base is deleted meanwhile.
        """
        remaining = list(reversed(job_ids))

        def all_final() -> bool:
            while remaining and self.get(remaining[-1]).state.final:
                remaining.pop()
            return not remaining

        with self._changed:
            self._changed.wait_for(lambda: self._closing or all_final(), timeout)
        return [self.get(job_id) for job_id in job_ids]

    def unfinished(self) -> int:
        """How many jobs wait or are being worked on."""
        return self._store.count_unfinished()

    def _run(self) -> None:
        while (job_id := self._waiting.get()) and not self._closing:
            try:
                if job := self._begin(job_id):
                    self._work(job)
                else:
                    self._tell()  # it may have gone with its knowledge base
            except Exception:  # noqa: BLE001 - the thread goes on; the next start takes it up
                _log.exception("job_left", job=job_id)

    def _begin(self, job_id: str) -> Job | None:
        """The job, from now on this thread's to work on; none if there is nothing left to do."""
        with self._claim:
            job = self._store.get(job_id)
            if job is None or job.state.final or job_id in self._active:
                return None
            self._active[job_id] = job
            return job

    def _work(self, job: Job) -> None:
        try:
            done = self._ingest(job)
        except _Interrupted:
            self._active.pop(job.id, None)  # as it was: the next start takes it up
            return
        except Cancelled:
            done = replace(job, state=Stage.CANCELLED)
        except (IngestError, RetrievalError) as error:
            done = replace(job, state=Stage.FAILED, error=_failure(error))
        except Exception as error:  # noqa: BLE001 - a job always ends in a final state
            _log.exception("ingest_failed", job=job.id, uri=job.uri)
            done = replace(job, state=Stage.FAILED, error=_failure(error))
        self._finish(done)

    def _ingest(self, job: Job) -> Job:
        kb = self._engine.knowledge_bases.by_id(job.kb_id)
        if kb is None:
            raise KnowledgeBaseNotFound(job.knowledge_base)
        kb = self._engine.open(kb.name)
        source = self._store.source(job.id, self._engine.blobs.get(job.blob))

        def progress(stage: Stage, done: int, total: int) -> None:
            if self._closing:
                raise _Interrupted
            if job.id in self._cancelled:
                raise Cancelled(f"The ingestion of {source.name} was cancelled.")
            moved = self._active[job.id].state is not stage
            self._active[job.id] = replace(job, state=stage, done=done, total=total)
            if moved:
                self._store.save(self._active[job.id])

        try:
            ingested = self._pipeline.ingest(
                kb, source, progress, unique=job.unique, document_id=job.document_id
            )
        except ParserStopped as error:
            if self._closing:
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

    def _finish(self, job: Job) -> None:
        with self._claim:
            try:
                self._store.save(job)
            finally:
                self._active.pop(job.id, None)
                self._cancelled.discard(job.id)
        self._tell()

    def _tell(self) -> None:
        """Let those who wait look again."""
        with self._changed:
            self._changed.notify_all()


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
        created_at=now,
        updated_at=now,
    )


def _failure(error: Exception) -> Failure:
    return Failure(type(error).__name__, str(error))
