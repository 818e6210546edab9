"""SQLite: one file, written by one process."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from retrieval import statistics
from retrieval.dialects.dialect import BEYOND, BUSY_SECONDS
from retrieval.dialects.held_names import HeldNames
from retrieval.errors import InvalidRequest, RetrievalError, StoreUnavailable


class Sqlite:
    """See `Dialect`."""

    shared = False
    reading: Mapping[str, Any] = {}
    glancing: Mapping[str, Any] = {}
    writing: Mapping[str, Any] = {"writes": True}
    beside: Mapping[str, Any] = writing  # a file has one writer

    def __init__(self) -> None:
        self._held = HeldNames()  # the data directory is this process's alone

    def engine(self, url: URL) -> Engine:
        # What is written stands in no message: those are logged, and told to clients.
        engine = create_engine(url, hide_parameters=True)
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        return engine

    def connect(self, engine: Engine) -> Connection:
        return engine.connect()

    def failure(self, error: DatabaseError) -> RetrievalError | None:
        if isinstance(error, DataError):
            return InvalidRequest(BEYOND)
        if isinstance(error, IntegrityError | ProgrammingError):
            return None
        return StoreUnavailable(f"The catalogue failed: {self.reason(error)}.")

    def reason(self, error: DatabaseError) -> str:
        return str(error.orig)

    def unopened(self, error: DatabaseError) -> str:
        return f"{self.reason(error)}."

    @contextmanager
    def migrating(self, connection: Connection) -> Iterator[None]:
        # A table that is made anew is dropped first, and what refers to it would go too.
        _enforce_references(connection, on=False)
        with connection.begin():
            yield
            statistics.write(connection)
        _enforce_references(connection, on=True)

    @contextmanager
    def hold(
        self,
        engine: Engine,  # noqa: ARG002
        names: Iterable[str],
        seconds: int,
    ) -> Iterator[None]:
        with self._held.holding(names, seconds):
            yield

    def wait(
        self,
        engine: Engine,  # noqa: ARG002
        names: Iterable[str],
        seconds: int,
    ) -> None:
        self._held.wait(names, seconds)

    def faults(self, connection: Connection) -> list[str]:
        found = [
            *connection.exec_driver_sql("PRAGMA quick_check").scalars(),
            *map(str, connection.exec_driver_sql("PRAGMA foreign_key_check")),
        ]
        return [fault for fault in found if fault != "ok"]

    def size(self, connection: Connection) -> int:
        query = "SELECT file FROM pragma_database_list WHERE name = 'main'"
        file = Path(connection.exec_driver_sql(query).scalar_one())
        return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))


def _enforce_references(connection: Connection, *, on: bool) -> None:
    """Outside a transaction, in which SQLite ignores it."""
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - it is connected
    driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _configure(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are ours to begin, see below
    connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows ASCII only
    connection.create_function("seconds", 0, time.time)  # its own knows milliseconds only
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was acknowledged survives a power cut
        "foreign_keys=ON",
        "secure_delete=ON",  # what was deleted can't be read in the file any more
        f"busy_timeout={BUSY_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that turns writer halfway fails instead of waiting.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
