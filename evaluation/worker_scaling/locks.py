"""Who waits for whom in the catalogue on Postgres, by looking again and again.

Two kinds of turns are taken there by all processes: the one to write to the catalogue at all, which
lasts as long as a transaction, and that to publish in a knowledge base.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import bindparam, text

from retrieval.database import Database
from retrieval.dialects.postgres import HOLDER, WRITER

_LOOK = 0.05  # seconds
_LOCKS = text(
    f"SELECT key = {WRITER} AS writes, granted, count(*) AS locks FROM ("  # noqa: S608 - constants
    " SELECT (classid::bigint << 32) | objid::bigint AS key, granted FROM pg_locks"
    " WHERE locktype = 'advisory' AND objsubid = 1"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    f") AS taken WHERE key = {WRITER} OR key = ANY(ARRAY("
    f" SELECT {HOLDER.format(name='name')} FROM unnest(CAST(:names AS text[])) AS held (name)"
    ")) GROUP BY writes, granted"
).bindparams(bindparam("names"))


@dataclass(frozen=True, slots=True)
class Turns:
    """Of how many turns that there are one was taken, and how many processes waited for one, both
    on average over time.
    """

    taken: float = 0.0
    waiting: float = 0.0


class LockWatch:
    """What was seen of the turns of some knowledge bases, looked at by a thread."""

    def __init__(self, database: Database, kb_ids: Sequence[str]) -> None:
        self._database = database
        self._asked = {"names": [*kb_ids]}
        self._looks = 0
        self._seen: dict[tuple[bool, bool], int] = {}

    @property
    def writing(self) -> Turns:
        """In the catalogue, which has one turn."""
        return self._turns(writes=True)

    @property
    def publishing(self) -> Turns:
        """In the knowledge bases, of which each has one."""
        return self._turns(writes=False)

    def look(self) -> None:
        """Count once. Raises StoreUnavailable."""
        with self._database.glance() as connection:
            rows = connection.execute(_LOCKS, self._asked).all()
        self._looks += 1
        for row in rows:
            kind = row.writes, row.granted
            self._seen[kind] = self._seen.get(kind, 0) + row.locks

    def _turns(self, *, writes: bool) -> Turns:
        if not self._looks:
            return Turns()
        taken, waiting = (self._seen.get((writes, granted), 0) for granted in (True, False))
        return Turns(taken / self._looks, waiting / self._looks)


@contextmanager
def watching(database: Database, kb_ids: Sequence[str]) -> Iterator[LockWatch]:
    """Looks until the block ends. Raises StoreUnavailable there, where that was the end of it."""
    watch, over = LockWatch(database, kb_ids), threading.Event()
    failures: list[Exception] = []

    def look() -> None:
        try:
            while not over.wait(_LOOK):
                watch.look()
        except Exception as error:  # noqa: BLE001 - raised by whoever watches
            failures.append(error)

    looker = threading.Thread(target=look, name="lock-watch")
    looker.start()
    try:
        yield watch
    finally:
        over.set()
        looker.join()
    if failures:
        raise failures[0]
