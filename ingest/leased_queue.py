"""The queue of processes that share a catalogue: jobs are leased, and looked for every second."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

from ingest.job_store import Failure, Job, JobStore
from ingest.leases import LeaseLost, Leases, permit
from ingest.types import Source, Stage
from retrieval.errors import StoreUnavailable
from retrieval.indexing import Permit
from retrieval.lease import BEATS, Heart, Lease, new_lease

_log = structlog.get_logger()

_TELL = 1.0  # seconds between two looks at how far this process is, for those who follow elsewhere
_DECLINED = 30.0  # seconds for which a job is left to others
_LOOK = 1.0  # seconds between two looks at what other processes did


class LeasedQueue:
    """See `Queue`. A job whose process is gone is another's as soon as its lease ends.

    Who takes a job that is to be worked on alone takes nothing more until that is over, and begins
    it when all that was taken before is.
    """

    shared = True

    def __init__(
        self, store: JobStore, leases: Leases, at_work: Callable[[], Mapping[str, Job]]
    ) -> None:
        """`at_work` tells how far this process is with each job that it took."""
        self._store = store
        self._leases = leases
        self._at_work = at_work
        self._held: dict[str, Lease] = {}
        self._lost: set[str] = set()
        self._begun: dict[str, Lease] = {}  # taken to be worked on; see `_in_hand`
        self._alone = ""  # what is to be worked on alone, begun or not, for as long as it is held
        self._left: dict[str, float] = {}  # given back, and from when on others may have them
        self._declined: dict[str, float] = {}  # until when
        self._taking = threading.Lock()  # one thread looks, the others wait for it
        self._moved = threading.Event()
        self._stopping = threading.Event()
        self._apart = leases.lasts / BEATS
        self._prolonged = time.monotonic()
        self._told: Mapping[str, Job] = {}
        self._heart = Heart("ingest", min(_TELL, self._apart), self._prolong)

    @property
    def idle(self) -> bool:
        return not self._held

    def start(self) -> None:
        self._heart.start()

    def accept(self, accepted: Sequence[tuple[Job, Source]]) -> list[Job]:
        lease = new_lease()
        kept = self._store.add(accepted, lease, self._leases.lasts)
        self._held |= {job.id: lease for job in kept}
        return kept

    def put(self, jobs: Sequence[Job]) -> list[Job]:
        leases = {lease for job in jobs if (lease := self._held.get(job.id)) is not None}
        found = self._store.receive([job.id for job in jobs], leases)
        for job in jobs:  # only now: until then no thread takes it here
            if self._held.get(job.id) in leases:
                self._forget(job.id)
        self._moved.set()
        return found

    def refuse(self, jobs: Sequence[Job], failure: Failure) -> Sequence[str]:
        refused = self._store.end([job.id for job in jobs], Stage.FAILED, failure)
        for job in jobs:
            self._forget(job.id)
        self._moved.set()
        return refused

    def take(self) -> str | None:
        with self._taking:
            while not self._stopping.is_set():
                self._moved.clear()
                self._release(self._due())
                if (job_id := self._next()) is not None:
                    return job_id
                self._moved.wait(_LOOK)
        return None

    def give_back(self, job_id: str, after: float = 0.0) -> None:
        if job_id in self._held:
            self._left[job_id] = time.monotonic() + after
            self._moved.set()

    def decline(self, job_id: str) -> None:
        self._declined[job_id] = time.monotonic() + _DECLINED
        self.give_back(job_id)

    def keep(self, job: Job) -> bool:
        lease = self._held.get(job.id)
        kept = lease is not None and self._store.save(job, lease)
        if not kept and job.state is Stage.CANCELLED:  # who has no lease can still take it back
            kept = bool(self._store.end([job.id], Stage.CANCELLED))
        self._forget(job.id)  # only now: what couldn't be written down is held
        self._moved.set()
        return kept

    def leave(self, job_id: str) -> None:
        self._forget(job_id)

    def permit(self, job_id: str) -> Permit:
        self.check(job_id)
        return permit(job_id, self._held[job_id])

    def check(self, job_id: str) -> None:
        if job_id in self._lost or job_id not in self._held:
            raise LeaseLost(f"Job {job_id} is worked on by somebody else, or was taken back.")

    def first(self, job_id: str) -> str | None:
        return self._leases.first(job_id)

    def stop(self) -> None:
        self._stopping.set()
        self._moved.set()

    def close(self) -> None:
        self._heart.stop()
        self._release([*self._left, self._alone])

    def _next(self) -> str | None:
        try:
            if self._alone not in self._held:
                return self._take()
            return self._begin_alone()
        except StoreUnavailable as error:
            _log.warning("no_job_can_be_taken", error=str(error))
            return None

    def _take(self) -> str | None:
        besides = {*self._in_hand(), *self._left_to_others()}
        taken = self._leases.take(besides, {*self._held.values()})
        if taken is None:
            return None
        self._forget(taken.job_id)  # what was known of a lease that it had before
        self._held[taken.job_id] = taken.lease
        if taken.alone:
            self._alone = taken.job_id
            return self._begin_alone()
        self._begun = self._in_hand() | {taken.job_id: taken.lease}
        return taken.job_id

    def _begin_alone(self) -> str | None:
        """The job that is to be worked on alone, as soon as nothing else is."""
        if self._in_hand():
            return None
        lease = self._held.get(self._alone)  # none if it was taken back this moment
        if lease is None or not self._leases.begin(self._alone, lease):
            self._release([self._alone])
            return None
        self._begun = {self._alone: lease}
        return self._alone

    def _in_hand(self) -> dict[str, Lease]:
        return {key: lease for key, lease in self._begun.items() if self._held.get(key) == lease}

    def _left_to_others(self) -> set[str]:
        now = time.monotonic()
        known = list(self._declined.items())
        self._declined = {key: until for key, until in known if until > now}
        return set(self._declined)

    def _due(self) -> list[str]:
        now = time.monotonic()
        return [job_id for job_id, at in [*self._left.items()] if at <= now]

    def _forget(self, job_id: str) -> None:
        self._lost.discard(job_id)
        self._left.pop(job_id, None)
        self._held.pop(job_id, None)

    def _release(self, job_ids: Sequence[str]) -> None:
        """Let others take these. Where the catalogue can't be told, they are held until it can be:
        leases that lapse would speak against the jobs.
        """
        held = {key: lease for key in job_ids if (lease := self._held.get(key)) is not None}
        try:
            self._leases.end(held)
        except StoreUnavailable as error:
            _log.warning("leases_left_to_end", jobs=len(held), error=str(error))
            return
        for job_id in held:
            self._forget(job_id)

    def _prolong(self) -> None:
        """All leases when that is due, until then those of jobs that are further by now."""
        held, at_work = dict(self._held), self._at_work()
        is_due = time.monotonic() - self._prolonged >= self._apart
        if not is_due:
            held = {key: held[key] for key in held if at_work.get(key) != self._told.get(key)}
        lost = self._leases.prolong(held, at_work)
        # But for those that were taken anew meanwhile.
        self._lost |= {key for key in lost if self._held.get(key) == held[key]}
        self._told = at_work
        if is_due:
            self._prolonged = time.monotonic()
