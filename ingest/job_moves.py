"""What moves in the queue of a knowledge base, from one look to the next."""

import time

from ingest.job_store import Job
from ingest.jobs import Jobs
from ingest.types import Stage
from retrieval.types import KnowledgeBase

_OVERLAP = 2.0  # seconds; a job's time is set a moment before others can see it


class JobMoves:
    """Looks at the jobs of a knowledge base; any thread may, one at a time."""

    def __init__(self, jobs: Jobs, kb: KnowledgeBase) -> None:
        self._jobs = jobs
        self._kb_id = kb.id
        self._since = 0.0
        self._told: dict[str, Job] = {}

    def first(self, limit: int) -> list[Job]:
        """The newest jobs, the newest that failed, and those that are being worked on; the newest
        first.
        """
        newest = self._jobs.newest(limit, 0, self._kb_id)
        failed = self._jobs.newest(limit, 0, self._kb_id, Stage.FAILED)
        found = {job.id: job for job in (*newest, *failed)}
        found |= {job.id: job for job in self._jobs.at_work(self._kb_id)}
        jobs = sorted(found.values(), key=lambda job: -job.created_at)
        self._remember(jobs)
        return jobs

    def next(self) -> list[Job]:
        """The jobs that have come or changed since the last look, the one that did so last at the
        end.
        """
        found = self._jobs.moved(self._since - _OVERLAP, self._kb_id)
        moved = [job for job in found if self._told.get(job.id) != job]
        self._remember(found)
        return moved

    def counts(self) -> dict[Stage, int]:
        """How many jobs are in each state."""
        return self._jobs.counts(self._kb_id)

    def _remember(self, jobs: list[Job]) -> None:
        # All that the next look can find unchanged: those at work, those of the overlap.
        self._told = {job.id: job for job in jobs}
        newest = max([self._since, *(job.updated_at for job in jobs)])
        self._since = min(newest, time.time())  # the clock may have been set back
