"""Whose turn it is, among the jobs that wait; here those of one process, kept in its memory."""

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from ingest.job_store import Failure, Job, JobStore
from ingest.retrying import remaining
from ingest.schedule import Schedule
from ingest.types import Source, Stage
from retrieval.indexing import Permit, anybody


class Queue(Protocol):
    """Gives each job to one thread at a time; those of a document in their order.

    Of the knowledge bases with something to do, that one has its turn of which nothing was begun
    for the longest time.

    `shared`: other processes take and end jobs of it, too.
    """

    @property
    def shared(self) -> bool: ...

    @property
    def idle(self) -> bool:
        """Whether this process has nothing to do."""

    def start(self) -> None:
        """Begin, also with what an earlier process left."""

    def accept(self, accepted: Sequence[tuple[Job, Source]]) -> list[Job]:
        """Keep new jobs, all or none; nobody gets them before `put`. See `JobStore.add`."""

    def put(self, jobs: Sequence[Job]) -> list[Job]:
        """Let jobs that were accepted together wait for their turn, now that their bytes are there:
        but for those that are over by now. As they stand then, without those that are gone.
        """

    def refuse(self, jobs: Sequence[Job], failure: Failure) -> Sequence[str]:
        """Let jobs fail that were accepted together, but are not to be worked on after all; which
        of them weren't over before. Nobody gets them, also where this raises StoreUnavailable.
        """

    def take(self) -> str | None:
        """A job whose turn it is, waiting for one; None when closed."""

    def give_back(self, job_id: str, after: float = 0.0) -> None:
        """Let a job that was taken be taken again, after so many seconds."""

    def decline(self, job_id: str) -> None:
        """Leave a job that was taken to other processes, at least for a while."""

    def keep(self, job: Job) -> bool:
        """Write down how an attempt ended, and go on with the next of its document or with the
        same later; False where the job is somebody else's by now.
        """

    def leave(self, job_id: str) -> None:
        """Go on without a job that is over, gone or somebody else's."""

    def permit(self, job_id: str) -> Permit:
        """What raises LeaseLost in a transaction in which a job isn't ours any more."""

    def check(self, job_id: str) -> None:
        """Raises LeaseLost where it is known that a job isn't ours any more."""

    def first(self, job_id: str) -> str | None:
        """The job that is to be over before this one, or this one."""

    def stop(self) -> None:
        """Give out nothing more."""

    def close(self) -> None:
        """Nothing is worked on any more."""


class _Line(NamedTuple):
    kb_id: str
    document_id: str


class LocalQueue:
    """The queue of a process that has the catalogue to itself."""

    shared = False

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._schedule = Schedule()
        self._lines: dict[_Line, deque[str]] = {}  # the jobs of a document, in their order
        self._line_of: dict[str, _Line] = {}
        self._lock = threading.RLock()

    @property
    def idle(self) -> bool:
        return not self._lines

    def start(self) -> None:
        self._store.requeue()
        for job in self._store.unfinished():
            self._line_up(job)

    def accept(self, accepted: Sequence[tuple[Job, Source]]) -> list[Job]:
        return self._store.add(accepted)

    def put(self, jobs: Sequence[Job]) -> list[Job]:
        found = self._store.receive([job.id for job in jobs])
        for job in found:
            if not job.state.final:
                self._line_up(job)
        return found

    def refuse(self, jobs: Sequence[Job], failure: Failure) -> Sequence[str]:
        refused = self._store.end([job.id for job in jobs], Stage.FAILED, failure)
        for job in jobs:
            self.leave(job.id)
        return refused

    def take(self) -> str | None:
        return self._schedule.get()

    def give_back(self, job_id: str, after: float = 0.0) -> None:
        if line := self._line_of.get(job_id):
            self._schedule.put(job_id, line.kb_id, after)

    def decline(self, job_id: str) -> None:
        """There are none."""

    def keep(self, job: Job) -> bool:
        self._store.save(job)
        if job.state.final:
            self.leave(job.id)
        elif job.retry_at is not None:
            self._schedule.put(job.id, job.kb_id, remaining(job.retry_at))
        return True

    def permit(self, job_id: str) -> Permit:  # noqa: ARG002
        return anybody

    def check(self, job_id: str) -> None:
        """Nobody else could have it."""

    def first(self, job_id: str) -> str | None:
        with self._lock:
            key = self._line_of.get(job_id)
            return self._lines[key][0] if key else None

    def stop(self) -> None:
        self._schedule.close()

    def close(self) -> None:
        """Nothing is left to do."""

    def leave(self, job_id: str) -> None:
        """Take a job that is over out of its line, and let the next one of its document begin."""
        with self._lock:
            if (key := self._line_of.pop(job_id, None)) is None:
                return
            line = self._lines[key]
            first = line[0] == job_id
            line.remove(job_id)
            if not line:
                del self._lines[key]
            elif first:
                self._schedule.put(line[0], key.kb_id)

    def _line_up(self, job: Job) -> None:
        """Let a job wait for its turn: after those of its document that were accepted before."""
        key = _Line(job.kb_id, job.document_id)
        with self._lock:
            if job.id in self._line_of:
                return
            self._line_of[job.id] = key
            line = self._lines.setdefault(key, deque())
            line.append(job.id)
            if len(line) == 1:
                self._schedule.put(job.id, job.kb_id, remaining(job.retry_at))
