"""Leases on jobs: of several processes one works on a job, and another where that one is gone.

What is published, and how a job ended, is written only by who has the lease, in a transaction that
sees that it has it: who was away for too long does no harm.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    Update,
    and_,
    case,
    func,
    or_,
    select,
    update,
)

from ingest.job_store import Job
from ingest.types import Stage
from retrieval.database import Database
from retrieval.lease import LASTS, Lease, new_lease
from retrieval.schema import UNFINISHED, jobs, knowledge_bases
from retrieval.sql import seconds


class LeaseLost(Exception):
    """Somebody else has the job by now, or took it back: nothing of it is to be written."""


class Leases:
    """Takes, prolongs and ends leases. Any thread may call it."""

    def __init__(self, database: Database, most: int = 0, lasts: float = LASTS) -> None:
        """`most`: jobs that all processes together work on, 0 for any number; `lasts`: seconds."""
        self._database = database
        self._most = most
        self.lasts = lasts

    def take(self, besides: Collection[str] = ()) -> tuple[str, Lease] | None:
        """A job that nobody works on, and the lease on it; None while there is none.

        The first of its document, of the knowledge base of which none was taken for the longest
        time, the oldest there. None of those `besides`.
        """
        while (job_id := self._next(besides)) is not None:
            lease = new_lease()
            free = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(UNFINISHED), _is_free())
            with self._database.write() as connection:
                if self._is_full(connection):
                    return None
                taken = connection.execute(
                    free.values(
                        state=Stage.PARSING.value,
                        lease=lease,
                        lease_until=self._end(),
                        lapses=jobs.c.lapses + case((_LAPSED, 1), else_=0),
                        updated_at=seconds(),
                    )
                )
                if taken.rowcount:
                    connection.execute(_had_its_turn(job_id))
                    return job_id, lease
        return None

    def prolong(self, leases: Mapping[str, Lease], at_work: Mapping[str, Job]) -> set[str]:
        """Those of the jobs whose lease is lost; the others keep theirs, and how far they are."""
        lost: set[str] = set()
        if not leases:
            return lost
        with self._database.write() as connection:
            for job_id, lease in leases.items():
                values: dict[str, Any] = {"lease_until": self._end()}
                if (job := at_work.get(job_id)) and job.state is not Stage.QUEUED:
                    values |= {"state": job.state.value, "done": job.done, "total": job.total}
                    values["updated_at"] = seconds()
                mine = update(jobs).where(_held(job_id, lease)).values(values)
                if not connection.execute(mine).rowcount:
                    lost.add(job_id)
        return lost

    def end(self, leases: Mapping[str, Lease], *, received: bool = False) -> None:
        """Let others take these jobs, whose bytes were all `received` by now."""
        if not leases:
            return
        values: dict[str, Any] = {"state": Stage.QUEUED.value, "lease": None, "lease_until": None}
        if received:
            values["received"] = True
        with self._database.write() as connection:
            for job_id, lease in leases.items():
                connection.execute(update(jobs).where(_held(job_id, lease)).values(values))

    def first(self, job_id: str) -> str | None:
        """The job of the same document that comes first, be it this one."""
        this = jobs.alias("this")
        query = (
            select(jobs.c.id)
            .join(this, _same_document(this, jobs))
            .where(this.c.id == job_id, jobs.c.state.in_(UNFINISHED))
            .order_by(jobs.c.created_at, jobs.c.id)
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def _next(self, besides: Collection[str]) -> str | None:
        def oldest(column: Column[Any]) -> ScalarSelect[Any]:
            # By one condition that has one index: with any other, and without statistics of so
            # many new rows, Postgres may read all that wait, which are up to 10,000.
            mine = select(column).where(jobs.c.behind == knowledge_bases.c.id)
            free = mine.where(_is_free(), jobs.c.id.not_in(besides))
            first = free.order_by(jobs.c.created_at).limit(1)
            return first.correlate(knowledge_bases).scalar_subquery()

        firsts = select(
            knowledge_bases.c.turn,
            oldest(jobs.c.id).label("id"),
            oldest(jobs.c.created_at).label("created_at"),
        ).subquery()
        query = (
            select(firsts.c.id)
            .where(firsts.c.id.is_not(None))
            .order_by(firsts.c.turn, firsts.c.created_at)
            .limit(1)
        )
        with self._database.glance() as connection:
            return None if self._is_full(connection) else connection.scalar(query)

    def _is_full(self, connection: Connection) -> bool:
        if not self._most:
            return False
        at_work = connection.scalar(select(func.count()).select_from(jobs).where(_AT_WORK)) or 0
        return at_work >= self._most

    def _end(self) -> ColumnElement[float]:
        return seconds() + self.lasts


def permit(job_id: str, lease: Lease) -> Callable[[Connection], None]:
    """What raises LeaseLost, in a transaction that writes, unless the lease is held."""

    def check(connection: Connection) -> None:
        if connection.scalar(select(jobs.c.id).where(_held(job_id, lease))) is None:
            raise LeaseLost(f"Job {job_id} is worked on by somebody else, or was taken back.")

    return check


def _had_its_turn(job_id: str) -> Update:
    """Lets the knowledge base of a job come after all others."""
    every = knowledge_bases.alias()
    newest = select(func.max(every.c.turn) + 1).scalar_subquery()
    mine = select(jobs.c.kb_id).where(jobs.c.id == job_id).scalar_subquery()
    return update(knowledge_bases).where(knowledge_bases.c.id == mine).values(turn=newest)


def _held(job_id: str, lease: Lease) -> ColumnElement[bool]:
    """Nobody has taken the job since, and it isn't over."""
    return and_(jobs.c.id == job_id, jobs.c.lease == lease, jobs.c.state.in_(UNFINISHED))


def _same_document(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.kb_id == other.c.kb_id, one.c.document_id == other.c.document_id)


def _is_free() -> ColumnElement[bool]:
    """Nobody works on it, and its time has come."""
    return and_(
        or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < seconds()),
        or_(jobs.c.retry_at.is_(None), jobs.c.retry_at <= seconds()),
    )


# Whoever was at work on it let go of it neither way: by how it ended, or by giving it back.
_LAPSED = and_(jobs.c.lease.is_not(None), jobs.c.state != Stage.QUEUED.value)
_AT_WORK = and_(jobs.c.state.in_(UNFINISHED[1:]), jobs.c.lease_until >= seconds())
