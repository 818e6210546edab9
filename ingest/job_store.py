"""Jobs in the catalogue: what was accepted, how far it is, how it ended."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from ingest import quotas
from ingest.retrying import remaining
from ingest.types import Source, Stage
from retrieval import access
from retrieval.database import Database
from retrieval.errors import KnowledgeBaseNotFound, StoreUnavailable
from retrieval.schema import UNFINISHED, jobs, knowledge_bases
from retrieval.sql import seconds
from retrieval.types import to_metadata

_TICK = 1e-6  # seconds between two jobs, whose order is that of their times


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: the kind of error, and what a person should know."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """A source on its way into a knowledge base; `done` of `total` chunks are embedded.

    A job that failed of something that may pass is queued again until `retry_at`, with the error
    of its last attempt; `lapses` are attempts whose process ended, or was away for too long. It is
    `received` once whoever accepted it has said that all of its bytes are where they are kept:
    before that nobody works on it, whatever bytes there are. Times are seconds since 1970, as they
    are kept by the clock of the database, which all processes share.
    """

    id: str
    kb_id: str
    knowledge_base: str
    uri: str
    document_id: str
    blob: str
    unique: bool
    state: Stage
    outcome: str | None
    done: int
    total: int
    error: Failure | None
    attempts: int
    lapses: int
    received: bool
    retry_at: float | None
    created_at: float
    updated_at: float

    @property
    def settled(self) -> bool:
        """Whether there is nothing to wait for now: it is over, or put off."""
        return self.state.final or self.retry_at is not None


class JobStore:
    """Reads and writes jobs; what a job will ingest is kept with it, its bytes as a blob."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, accepted: Sequence[tuple[Job, Source]], lease: str | None = None, lasts: float = 0.0
    ) -> list[Job]:
        """Keep new jobs of a knowledge base, all or none, after those that wait there; under a
        lease of so many seconds, if one is given, while their bytes are received. Raises
        KnowledgeBaseNotFound if it is gone by now, Overloaded and QuotaExceeded.
        """
        leased: dict[str, Any] = {}
        if lease:
            leased = {"lease": lease, "lease_until": seconds() + lasts}
        if not accepted:
            return []
        try:
            with self._database.write() as connection:
                quotas.check_queue(connection, sum(not job.state.final for job, _ in accepted))
                quotas.check(connection, {job.document_id for job, _ in accepted})
                times = _times(connection, accepted[0][0].kb_id)
                stamped = [
                    (replace(job, created_at=now, updated_at=now), source)
                    for now, (job, source) in zip(times, accepted, strict=False)
                ]
                line = _line(connection, [job for job, _ in accepted])
                pairs = zip(stamped, line, strict=True)
                rows = [_to_row(*one) | {"behind": place} for one, place in pairs]
                connection.execute(jobs.insert().values(leased), rows)
        except IntegrityError as error:
            raise KnowledgeBaseNotFound(accepted[0][0].knowledge_base) from error
        return [job for job, _ in stamped]

    def receive(self, job_ids: Collection[str], leases: Collection[str] | None = None) -> list[Job]:
        """Say that the bytes of new jobs are all there, and let go of these leases on them, if
        there are any: of all but those that are over. The jobs as they stand then, without those
        that are gone. Raises StoreUnavailable, with none of them received, where one is somebody
        else's by now.
        """
        these = jobs.c.id.in_(job_ids)
        received = update(jobs).where(these, jobs.c.state.in_(UNFINISHED))
        if leases is not None:
            received = received.where(jobs.c.lease.in_(leases))
        with self._database.write() as connection:
            connection.execute(received.values(received=True, lease=None, lease_until=None))
            rows = connection.execute(_JOBS.where(these).order_by(jobs.c.created_at)).all()
            if any(row.state in UNFINISHED and not row.received for row in rows):
                raise StoreUnavailable("To keep what was sent took too long. Send it again.")
        return [_from_row(row) for row in rows]

    def save(self, job: Job, lease: str | None = None) -> bool:
        """Keep where a job stands now, and end the lease on it; False where one is given, and
        somebody else has the job by now, or took it back. Who took back what was published by then
        is told.
        """
        mine = jobs.c.id == job.id
        if job.state not in (Stage.DONE, Stage.CANCELLED):
            mine &= jobs.c.state.in_(UNFINISHED)
        if lease is not None:
            mine &= jobs.c.lease == lease
        with self._database.write() as connection:
            saved = connection.execute(
                update(jobs)
                .where(mine)
                .values(
                    document_id=job.document_id,
                    state=job.state.value,
                    outcome=job.outcome,
                    done=job.done,
                    total=job.total,
                    error=_error(job.error),
                    attempts=job.attempts,
                    retry_at=_put_off(job),
                    updated_at=seconds(),
                    lease=None,
                    lease_until=None,
                )
            )
            if job.state.final and saved.rowcount:
                _close_up(connection, [job.id])
            if lease is None or saved.rowcount:
                return True
            there = connection.scalar(select(jobs.c.id).where(jobs.c.id == job.id))
        return there is None  # it went with its knowledge base

    def end(
        self, job_ids: Collection[str], state: Stage, error: Failure | None = None
    ) -> Sequence[str]:
        """Say of jobs that they are over, whoever has a lease on them, who finds out; which of them
        weren't yet.
        """
        ended = update(jobs).where(jobs.c.id.in_(job_ids), jobs.c.state.in_(UNFINISHED))
        values = {"state": state.value, "error": _error(error), "retry_at": None}
        with self._database.write() as connection:
            over = connection.scalars(
                ended.values(values | {"updated_at": seconds()}).returning(jobs.c.id)
            ).all()
            _close_up(connection, over)
        return over

    def get(self, job_id: str) -> Job | None:
        with self._database.glance() as connection:
            row = connection.execute(_JOBS.where(jobs.c.id == job_id, *_which(None))).first()
        return _from_row(row) if row else None

    def source(self, job_id: str, data: bytes) -> Source:
        """The source of a job, given the bytes of its blob."""
        with self._database.glance() as connection:
            kept: Mapping[str, Any] = connection.execute(
                select(jobs.c.source).where(jobs.c.id == job_id)
            ).scalar_one()
        metadata = kept["metadata"]
        return Source(
            uri=kept["uri"],
            name=kept["name"],
            data=data,
            media_type=kept["media_type"],
            title=kept["title"],
            metadata=None if metadata is None else to_metadata(metadata),
        )

    def newest(
        self, limit: int, offset: int = 0, kb_id: str | None = None, state: Stage | None = None
    ) -> list[Job]:
        """Jobs, the newest first, of one knowledge base or in one state if that is given."""
        query = _JOBS.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(limit).offset(offset)
        with self._database.read() as connection:
            rows = connection.execute(query.where(*_which(kb_id, state))).all()
        return [_from_row(row) for row in rows]

    def moved(self, since: float, kb_id: str) -> list[Job]:
        """The jobs of a knowledge base that came or changed from that time on, in that order."""
        query = _JOBS.where(jobs.c.updated_at >= since, *_which(kb_id))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(jobs.c.updated_at, jobs.c.id)).all()
        return [_from_row(row) for row in rows]

    def counts(self, kb_id: str | None = None, besides: Collection[str] = ()) -> dict[Stage, int]:
        """How many jobs are in each state, but for those `besides`."""
        others = jobs.c.id.not_in(besides)
        query = select(jobs.c.state, func.count()).where(*_which(kb_id), others)
        query = query.group_by(jobs.c.state)
        with self._database.read() as connection:
            return {Stage(state): count for state, count in connection.execute(query)}

    def of_document(self, kb_id: str, document_id: str) -> list[str]:
        """The ids of the unfinished jobs of a document."""
        mine = (jobs.c.kb_id == kb_id) & (jobs.c.document_id == document_id)
        query = select(jobs.c.id).where(mine, jobs.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            return [*connection.scalars(query)]

    def unfinished(self) -> list[Job]:
        """The jobs that aren't final, oldest first."""
        query = _JOBS.where(jobs.c.state.in_(UNFINISHED))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(jobs.c.created_at, jobs.c.id)).all()
        return [_from_row(row) for row in rows]

    def has_unfinished(self) -> bool:
        """Whether any job isn't over."""
        query = select(exists().where(jobs.c.state.in_(UNFINISHED)))
        with self._database.glance() as connection:
            return bool(connection.scalar(query))

    def requeue(self) -> None:
        """Say of what a process left at work that it waits."""
        with self._database.write() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.state.in_(UNFINISHED))
                .values(state=Stage.QUEUED.value, done=0, total=0)
            )

    def prune(self, before: float) -> None:
        """Forget the jobs that have been over since that time."""
        with self._database.write() as connection:
            connection.execute(
                delete(jobs).where(jobs.c.state.not_in(UNFINISHED), jobs.c.updated_at < before)
            )


_JOBS = select(jobs, knowledge_bases.c.name.label("knowledge_base")).join(
    knowledge_bases, knowledge_bases.c.id == jobs.c.kb_id
)


def _which(kb_id: str | None, state: Stage | None = None) -> list[ColumnElement[bool]]:
    """Those that exist for who asks, of one knowledge base or in one state if that is given."""
    conditions = [access.restricted(jobs.c.kb_id)]
    if kb_id is not None:
        conditions.append(jobs.c.kb_id == kb_id)
    if state is not None:
        conditions.append(jobs.c.state == state.value)
    return conditions


def _times(connection: Connection, kb_id: str) -> Iterator[float]:
    """Those of new jobs: now, and after all that wait in their knowledge base, so that the order
    of jobs is that in which they came, even where a clock was set back.
    """
    waiting = select(func.max(jobs.c.created_at)).where(
        jobs.c.kb_id == kb_id, jobs.c.state.in_(UNFINISHED)
    )
    now, last = connection.execute(select(seconds(), waiting.scalar_subquery())).one()
    return count(now if last is None else max(now, last + _TICK), _TICK)


def _line(connection: Connection, coming: Sequence[Job]) -> Iterator[str | None]:
    """What each of these, new in their knowledge base, comes right behind: the last job that isn't
    over of its document, or, as the first, the knowledge base.
    """
    kb_id, of_these = coming[0].kb_id, {job.document_id for job in coming}
    waiting = select(jobs.c.document_id, jobs.c.id).where(
        jobs.c.kb_id == kb_id, jobs.c.document_id.in_(of_these), jobs.c.state.in_(UNFINISHED)
    )
    rows = connection.execute(waiting.order_by(jobs.c.created_at))
    last: dict[str, str] = {row.document_id: row.id for row in rows}
    for job in coming:
        yield None if job.state.final else last.get(job.document_id, kb_id)
        if not job.state.final:
            last[job.document_id] = job.id


def _close_up(connection: Connection, over: Collection[str]) -> None:
    """Let those who come right behind jobs that are over take their places."""
    if not over:
        return
    places = select(jobs.c.id, jobs.c.behind).where(jobs.c.id.in_(over))
    place = {row.id: row.behind for row in connection.execute(places)}
    behind = connection.execute(select(jobs.c.id, jobs.c.behind).where(jobs.c.behind.in_(over)))
    moving = [{"who": row.id, "to": row.behind} for row in behind if row.id not in place]
    for one in moving:
        while one["to"] in place:  # several of a document may be over at once
            one["to"] = place[one["to"]]
    if moving:
        moved = update(jobs).where(jobs.c.id == bindparam("who")).values(behind=bindparam("to"))
        connection.execute(moved, moving)
    connection.execute(update(jobs).where(jobs.c.id.in_(over)).values(behind=None))


def _error(failure: Failure | None) -> list[str] | None:
    return [failure.kind, failure.message] if failure else None


def _put_off(job: Job) -> ColumnElement[float] | None:
    """When a job is tried again."""
    return None if job.retry_at is None else seconds() + remaining(job.retry_at)


def _to_row(job: Job, source: Source) -> dict[str, Any]:
    return {
        "id": job.id,
        "kb_id": job.kb_id,
        "blob": job.blob,
        "source": {
            "uri": source.uri,
            "name": source.name,
            "media_type": source.media_type,
            "title": source.title,
            "metadata": None if source.metadata is None else dict(source.metadata),
            "unique": job.unique,
        },
        "document_id": job.document_id,
        "state": job.state.value,
        "outcome": job.outcome,
        "done": 0,
        "total": 0,
        "error": None,
        "attempts": 0,
        "received": job.received,
        "retry_at": None,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _from_row(row: Row[*tuple[Any, ...]]) -> Job:
    return Job(
        id=row.id,
        kb_id=row.kb_id,
        knowledge_base=row.knowledge_base,
        uri=row.source["uri"],
        document_id=row.document_id,
        blob=row.blob,
        unique=row.source["unique"],
        state=Stage(row.state),
        outcome=row.outcome,
        done=row.done,
        total=row.total,
        error=Failure(*row.error) if row.error else None,
        attempts=row.attempts,
        lapses=row.lapses,
        received=row.received,
        retry_at=row.retry_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
