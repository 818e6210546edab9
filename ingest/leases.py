"""Leases on jobs: of several processes one works on a job, and another where that one is gone.

What is published, and how a job ended, is written only by who has the lease, in a transaction that
sees that it has it: who was away for too long does no harm.

A process whose leases lapsed worked on several jobs, of which one may have ended it. So a job over
which a few lapsed is worked on alone: the next lapse is its own, and its neighbours aren't blamed.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    ScalarSelect,
    Update,
    and_,
    case,
    exists,
    func,
    not_,
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

TOGETHER = 2
"""Lapses of a job that was worked on beside others; from then on it is worked on alone."""


class LeaseLost(Exception):
    """Somebody else has the job by now, or took it back: nothing of it is to be written."""


class Taken(NamedTuple):
    """A job that others leave alone from now on; `alone`: it waits until it is begun."""

    job_id: str
    lease: Lease
    alone: bool


class Leases:
    """Takes, prolongs and ends leases. Any thread may call it."""

    def __init__(self, database: Database, most: int = 0, lasts: float = LASTS) -> None:
        """`most`: jobs that all processes together work on, 0 for any number; `lasts`: seconds."""
        self._database = database
        self._most = most
        self.lasts = lasts

    def take(self, besides: Collection[str] = (), own: Collection[Lease] = ()) -> Taken | None:
        """A job that nobody works on, and the lease on it; None while there is none.

        The first of its document, of the knowledge base of which none was taken for the longest
        time, the oldest there. None of those `besides`, nor one under one of our `own` leases,
        which may have lapsed. One that is to be worked on alone only while no other process has
        such a job: all the others go on.
        """
        while (job_id := self._next(besides, own)) is not None:
            lease = new_lease()
            free = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(UNFINISHED), _is_free())
            with self._database.write() as connection:
                if self._is_full(connection):
                    return None
                taken = connection.execute(
                    free.values(
                        state=case((_ALONE, Stage.QUEUED.value), else_=Stage.PARSING.value),
                        lease=lease,
                        lease_until=self._end(),
                        lapses=_COUNTED,
                        updated_at=seconds(),
                    ).returning(jobs.c.lapses)
                ).first()
                if taken is not None:
                    connection.execute(_had_its_turn(job_id))
                    return Taken(job_id, lease, taken.lapses >= TOGETHER)
        return None

    def begin(self, job_id: str, lease: Lease) -> bool:
        """Say that a job is worked on which was taken to be so alone; False where its lease is
        lost, or as many are worked on as may be.
        """
        values = {"state": Stage.PARSING.value, "lease_until": self._end(), "updated_at": seconds()}
        with self._database.write() as connection:
            if self._is_full(connection):
                return False
            begun = update(jobs).where(_held({job_id: lease})).values(values)
            return bool(connection.execute(begun).rowcount)

    def prolong(self, leases: Mapping[str, Lease], at_work: Mapping[str, Job]) -> set[str]:
        """Those of the jobs whose lease is lost; the others keep theirs, and how far they are."""
        if not leases:
            return set()
        until = {"lease_until": self._end()}
        prolonged = update(jobs).where(_held(leases)).values(until).returning(jobs.c.id)
        with self._database.write() as connection:
            kept = {*connection.scalars(prolonged)}
            for job in [job for key in kept if (job := at_work.get(key))]:
                if job.state is not Stage.QUEUED:
                    connection.execute(_progress(job))
        return leases.keys() - kept

    def end(self, leases: Mapping[str, Lease]) -> None:
        """Let others take these jobs."""
        if not leases:
            return
        values: dict[str, Any] = {"state": Stage.QUEUED.value, "lease": None, "lease_until": None}
        with self._database.write() as connection:
            connection.execute(update(jobs).where(_held(leases)).values(values))

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

    def _next(self, besides: Collection[str], own: Collection[Lease]) -> str | None:
        ours = and_(jobs.c.lease.is_not(None), jobs.c.lease.in_(own))

        def oldest(column: Column[Any]) -> ScalarSelect[Any]:
            # By one condition that has one index: with any other, and without statistics of so
            # many new rows, Postgres may read all that wait, which are up to 10,000.
            mine = select(column).where(jobs.c.behind == knowledge_bases.c.id)
            free = mine.where(_is_free(), jobs.c.id.not_in(besides), not_(ours))
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
        if connection.scalar(select(jobs.c.id).where(_held({job_id: lease}))) is None:
            raise LeaseLost(f"Job {job_id} is worked on by somebody else, or was taken back.")

    return check


def _had_its_turn(job_id: str) -> Update:
    """Lets the knowledge base of a job come after all others."""
    every = knowledge_bases.alias()
    newest = select(func.max(every.c.turn) + 1).scalar_subquery()
    mine = select(jobs.c.kb_id).where(jobs.c.id == job_id).scalar_subquery()
    return update(knowledge_bases).where(knowledge_bases.c.id == mine).values(turn=newest)


def _progress(job: Job) -> Update:
    moved = {"state": job.state.value, "done": job.done, "total": job.total}
    return update(jobs).where(jobs.c.id == job.id).values(moved | {"updated_at": seconds()})


def _held(leases: Mapping[str, Lease]) -> ColumnElement[bool]:
    """Nobody has taken these jobs since, and they aren't over. A lease is on one job, or on those
    that were accepted together: one that is on any of these is on no other than its own.
    """
    own = jobs.c.lease.in_({*leases.values()})
    return and_(jobs.c.id.in_(leases), own, jobs.c.state.in_(UNFINISHED))


def _same_document(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.kb_id == other.c.kb_id, one.c.document_id == other.c.document_id)


def _is_free() -> ColumnElement[bool]:
    """Nobody works on it, and its time has come."""
    other = jobs.alias("other")
    alone = exists().where(
        other.c.lapses >= TOGETHER,
        other.c.state.in_(UNFINISHED),
        other.c.lease_until >= seconds(),
    )
    return and_(
        or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < seconds()),
        or_(jobs.c.retry_at.is_(None), jobs.c.retry_at <= seconds()),
        or_(not_(_ALONE), not_(alone)),
    )


# Whoever was at work on it let go of it neither way: by how it ended, or by giving it back.
_LAPSED = and_(jobs.c.lease.is_not(None), jobs.c.state != Stage.QUEUED.value)
_COUNTED = jobs.c.lapses + case((_LAPSED, 1), else_=0)
_ALONE = _COUNTED >= TOGETHER
_AT_WORK = and_(jobs.c.state.in_(UNFINISHED[1:]), jobs.c.lease_until >= seconds())
