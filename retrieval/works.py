"""Long work that one process does at a time, of all that share a catalogue: who does it, and how it
stands.

Who begins a work has a lease on it, until it is left. What is told of a work is told by who has its
lease, and read by all.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.exc import IntegrityError

from retrieval.database import Database
from retrieval.errors import KnowledgeBaseNotFound, StoreUnavailable
from retrieval.lease import BEATS, LASTS, Heart, Lease, new_lease
from retrieval.schema import works
from retrieval.sql import seconds
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()

Standing = Mapping[str, Any]
"""How a work stands, as JSON."""


@dataclass(frozen=True, slots=True)
class Told:
    """How a work stands; of one that isn't over and that nobody does, how far it came."""

    standing: Standing
    is_over: bool
    is_done: bool


class Work:
    """A work that this process does, until it is left. Any thread may call it."""

    def __init__(self, database: Database, name: str, lease: Lease) -> None:
        self._database = database
        self.name = name
        self.lease = lease
        self.is_lost = False  # it was away for too long, and another process may be at it

    def tell(self, standing: Standing) -> None:
        """Say how it stands, unless it is lost. Raises StoreUnavailable."""
        self._write(standing=dict(standing), is_over=False)

    def end(self, standing: Standing) -> None:
        """Say how it ended, unless it is lost. Raises StoreUnavailable."""
        self._write(standing=dict(standing), is_over=True)

    def leave(self) -> None:
        """Let others do it, now or where the catalogue is away, when the lease ends."""
        try:
            self._write(lease=None, lease_until=None)
        except StoreUnavailable as error:
            _log.warning("lease_left_to_end", work=self.name, error=str(error))

    def _write(self, **values: Any) -> None:
        with self._database.write() as connection:
            mine = update(works).where(works.c.name == self.name, works.c.lease == self.lease)
            if not connection.execute(mine.values(values)).rowcount:
                self.is_lost = True


class Works:
    """Begins works, and tells how all of them stand. Any thread may call it."""

    def __init__(self, database: Database, lasts: float = LASTS) -> None:
        """`lasts`: seconds that a lease does which isn't prolonged."""
        self._database = database
        self._lasts = lasts
        self._mine: set[Work] = set()
        self._lock = threading.Lock()
        self._heart = Heart("work", lasts / BEATS, self._prolong)
        if not database.shared:  # nobody is left who could have one
            with database.write() as connection:
                connection.execute(update(works).values(lease=None, lease_until=None))

    @contextmanager
    def turn(self, name: str, kb: KnowledgeBase | None = None) -> Iterator[Work | None]:
        """The work of this name, which goes with the knowledge base if one is given; None where
        somebody is at it. Raises KnowledgeBaseNotFound, StoreUnavailable.
        """
        if (work := self.begin(name, kb)) is None:
            yield None
            return
        try:
            yield work
        finally:
            self.leave(work)

    def begin(self, name: str, kb: KnowledgeBase | None = None) -> Work | None:
        """The same, until it is left."""
        work = Work(self._database, name, new_lease())
        mine = {"lease": work.lease, "lease_until": seconds() + self._lasts}
        known = select(works.c.name).where(works.c.name == name)
        try:
            with self._database.write() as connection:
                if connection.scalar(known) is None:
                    row = {"name": name, "kb_id": kb.id if kb else None, "is_over": True}
                    connection.execute(works.insert().values(row | mine))
                elif not connection.execute(
                    update(works).where(works.c.name == name, ~_IS_DONE).values(mine)
                ).rowcount:
                    return None
        except IntegrityError as error:
            raise KnowledgeBaseNotFound(kb.name if kb else "") from error
        with self._lock:
            self._mine.add(work)
            self._heart.start()
        return work

    def leave(self, work: Work) -> None:
        """Let others do it."""
        with self._lock:
            self._mine.discard(work)
        work.leave()

    def of(self, name: str) -> Told | None:
        """How a work stands, if anything was told of it. Raises StoreUnavailable."""
        query = select(works.c.standing, works.c.is_over, _IS_DONE.label("is_done"))
        with self._database.read() as connection:
            row = connection.execute(query.where(works.c.name == name)).first()
        return Told(*row) if row and row.standing is not None else None

    def close(self) -> None:
        """Prolong nothing any more."""
        self._heart.stop()

    def _prolong(self) -> None:
        with self._lock:
            mine = list(self._mine)
        if not mine:
            return
        with self._database.write() as connection:
            for work in mine:
                held = and_(works.c.name == work.name, works.c.lease == work.lease)
                until = {"lease_until": seconds() + self._lasts}
                if not connection.execute(update(works).where(held).values(until)).rowcount:
                    work.is_lost = True


_IS_DONE: ColumnElement[bool] = and_(works.c.lease.is_not(None), works.c.lease_until >= seconds())
