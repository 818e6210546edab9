"""Postgres: a server, written by any number of processes.

What decides before it writes (is there a document with these bytes? does any chunk still use this
vector?) was made for one writer at a time, and has one here too: a transaction that writes begins
with a lock that all processes share. It reads what was committed before it got the lock, and
nothing changes before it ends, so any check is as good as under SQLite's lock, whatever it looks
at. SERIALIZABLE would promise the same at the price of transactions that fail for no fault of
theirs, and have to be run again by whoever began them; locks on rows guard no row that isn't there
yet. A transaction takes milliseconds: nothing is computed, parsed or embedded in one, and no other
server is asked.
"""

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from retrieval.dialects import postgres_errors
from retrieval.dialects.dialect import BUSY_SECONDS
from retrieval.dialects.held_connection import HeldConnection
from retrieval.errors import RetrievalError, StoreUnavailable
from retrieval.schema import metadata, words

_log = structlog.get_logger()

_OLDEST = 14
_KEPT = 5  # connections that stay open while nobody needs them
_LOOK = (0.05, 0.3)  # seconds between two looks whether a server with no connection free has one
# After which who does nothing loses its transaction, and what it holds: see `held_connection`.
_STALLED_SECONDS = 60.0
_MIGRATION_SECONDS = 600  # that a start waits for another process, which rewrites every text maybe
# Either side whose machine is gone without a word is noticed within a minute by the other: the
# server, by those who wait for it; a process, whose locks the server would keep for hours. A
# machine that is there answers for a process that isn't at work, too: such a one loses its locks
# by _STALLED_SECONDS. See `server` for a server like that.
_NETWORK = {
    "connect_timeout": "5",  # seconds
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "50000",  # milliseconds
    "application_name": "footnote",
}
_SESSION = {
    "tcp_keepalives_idle": _NETWORK["keepalives_idle"],
    "tcp_keepalives_interval": _NETWORK["keepalives_interval"],
    "tcp_keepalives_count": _NETWORK["keepalives_count"],
    "tcp_user_timeout": _NETWORK["tcp_user_timeout"],
    "jit": "off",  # 50 ms of compiling for what takes one
    # Who waits says for how long, and a migration takes as long as it takes: what a role or its
    # provider allows a statement would end both.
    "statement_timeout": "0",
}
_VALUES = ", ".join(f"('{name}', '{value}')" for name, value in _SESSION.items())
# Set once there is a connection: poolers refuse those that ask for such things as they begin. What
# the URL's options say holds. A query whose process is gone ends within seconds, unless the server
# is too old to look, or its system can't tell.
_SET = f"""DO $$ BEGIN
    PERFORM set_config(name, value, false)
        FROM (VALUES {_VALUES}) AS ours (name, value) JOIN pg_settings USING (name)
        WHERE source <> 'client';
    BEGIN
        IF current_setting('client_connection_check_interval', true) = '0' THEN
            PERFORM set_config('client_connection_check_interval', '10s', false);
        END IF;
    EXCEPTION WHEN invalid_parameter_value THEN
        NULL;
    END;
END $$"""
WRITER = "hashtextextended(current_schema() || ' footnote', 0)"
"""In SQL, the key of the lock of the one transaction that writes."""

HOLDER = "hashtextextended(current_schema() || ' footnote ' || {name}, 0)"
"""In SQL, the key of the lock on a name that is held."""

_WAIT = f"set_config('lock_timeout', '{BUSY_SECONDS}s', true)"
_LIMITS = (
    f"SELECT {_WAIT},"
    f" set_config('idle_in_transaction_session_timeout', '{_STALLED_SECONDS}s', true)"
)
_TURN = f"pg_advisory_xact_lock({WRITER})"
_LIMIT = text(_LIMITS)
_LOCK = text(f"{_LIMITS}, {_TURN}")
_LOCK_IF_FREE = text(f"SELECT pg_try_advisory_xact_lock({WRITER})")
# As long as that is waited for nothing else: who waits for a table keeps its readers waiting.
_LOCK_AT_LAST = text(f"SELECT set_config('lock_timeout', :wait, true), {_TURN}, {_WAIT}")
_OF_EACH = f"{HOLDER.format(name='name')}) FROM unnest(CAST(:names AS text[])) AS name"
_HOLD = text(
    "SELECT set_config('lock_timeout', :wait, true),"
    " set_config('idle_session_timeout', :silence, false),"
    " set_config('idle_in_transaction_session_timeout', :silence, false),"
    f" pg_advisory_lock({_OF_EACH}"
)
_LET_GO = """DO $$ BEGIN
    PERFORM pg_advisory_unlock_all();
    RESET idle_session_timeout;
    RESET idle_in_transaction_session_timeout;
END $$"""
_FREE = text(
    f"SELECT set_config('lock_timeout', :wait, true), pg_advisory_xact_lock_shared({_OF_EACH}"
)
_ICU = "SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'"
_OTHER_ORDER = text(
    "SELECT table_name, column_name, data_type FROM information_schema.columns"
    " WHERE table_schema = current_schema() AND table_name = ANY(:ours)"
    " AND data_type IN ('character varying', 'text') AND collation_name IS DISTINCT FROM 'C'"
)
_SIZE = text(
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
    " AND relnamespace = current_schema()::regnamespace AND relname = ANY(:ours)"
)
# Others may have theirs beside them.
_OURS = {"ours": ["alembic_version", *metadata.tables, *words.tables]}


class Postgres:
    """See `Dialect`. Opens at most so many connections."""

    shared = True
    reading: Mapping[str, Any] = {
        "isolation_level": "REPEATABLE READ",
        "postgresql_readonly": True,
    }
    glancing: Mapping[str, Any] = {"isolation_level": "AUTOCOMMIT"}
    writing: Mapping[str, Any] = {"isolation_level": "READ COMMITTED", "writes": True}
    beside: Mapping[str, Any] = {"isolation_level": "READ COMMITTED", "writes": False}

    def __init__(self, connections: int) -> None:
        self._connections = connections

    def engine(self, url: URL) -> Engine:
        kept = min(_KEPT, self._connections)
        characters, server = _driver()
        engine = create_engine(
            _connecting(url),
            pool_size=kept,
            max_overflow=self._connections - kept,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=True,  # a server that was started again is found again
            # A plan for any values can't use the index of unfinished jobs: one is made for each.
            connect_args={"prepare_threshold": None},
            hide_parameters=True,
            json_serializer=characters.to_json,
            json_deserializer=characters.from_json,
        )
        there = server.Server()
        event.listen(engine, "do_connect", lambda _, __, where, how: there.connect(*where, **how))
        event.listen(engine, "connect", lambda connection, _: characters.register(connection))
        event.listen(engine, "connect", _set)
        event.listen(engine, "begin", _begin)
        return engine

    def connect(self, engine: Engine) -> Connection:
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return engine.connect()
            except DatabaseError as error:
                if not postgres_errors.is_full(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(random.uniform(*_LOOK))  # noqa: S311 - so that not all look at once

    def failure(self, error: DatabaseError) -> RetrievalError | None:
        return postgres_errors.failure(error)

    def reason(self, error: DatabaseError) -> str:
        return postgres_errors.reason(error)

    def unopened(self, error: DatabaseError) -> str:
        return postgres_errors.unopened(error)

    @contextmanager
    def migrating(self, connection: Connection) -> Iterator[None]:
        with connection.execution_options(**self.beside).begin():
            _check(connection)
            _take_turn(connection)
            yield
            _order_by_code_points(connection)

    @contextmanager
    def hold(self, engine: Engine, names: Iterable[str], seconds: int) -> Iterator[HeldConnection]:
        silence = _STALLED_SECONDS
        with self.connect(engine) as connection:
            try:
                with connection.begin():
                    asked = {**_in_order(names, seconds), "silence": f"{silence * 1000:.0f}ms"}
                    connection.execute(_HOLD, asked)
                held = HeldConnection(connection.execution_options(**self.writing))
                with held.speaking(silence):
                    yield held
            finally:
                _let_go(connection)

    def wait(self, engine: Engine, names: Iterable[str], seconds: int) -> None:
        with self.connect(engine) as connection, connection.begin():
            connection.execute(_FREE, _in_order(names, seconds))

    def faults(self, connection: Connection) -> list[str]:  # noqa: ARG002
        return []  # its server looks after it

    def size(self, connection: Connection) -> int:
        return int(connection.scalar(_SIZE, _OURS) or 0)


def _connecting(url: URL) -> URL:
    """With what a connection is to be like, where the URL doesn't say otherwise."""
    return url.set(drivername="postgresql+psycopg", query={**_NETWORK, **url.query})


def _driver() -> tuple[ModuleType, ModuleType]:
    """What makes psycopg take every text, and what connects, if it is there. Raises
    StoreUnavailable.
    """
    try:
        from retrieval.dialects import characters, server
    except ImportError as error:
        raise StoreUnavailable(
            "A catalogue in Postgres needs its driver: pip install 'footnote[postgres]'."
        ) from error
    return characters, server


def _check(connection: Connection) -> None:
    """Raises StoreUnavailable where the server can't keep a catalogue."""
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
    icu = connection.exec_driver_sql(_ICU).scalar()
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
    if version < _OLDEST:
        raise StoreUnavailable(
            f"The Postgres server has version {version}; a catalogue needs {_OLDEST} or newer."
        )
    if encoding != "UTF8":
        raise StoreUnavailable(
            f"The database is encoded in {encoding}; a catalogue needs UTF8: CREATE DATABASE ... "
            f"ENCODING 'UTF8' TEMPLATE template0."
        )
    if not icu:
        raise StoreUnavailable(
            "The Postgres server was built without ICU, which a catalogue needs to find text "
            "whatever its capitals."
        )


def _take_turn(connection: Connection) -> None:
    """Be the one who writes, once another process is done that migrates the catalogue maybe."""
    if not connection.scalar(_LOCK_IF_FREE):
        _log.info("waiting_for_another_process", to="migrate", seconds=_MIGRATION_SECONDS)
        connection.execute(_LOCK_AT_LAST, {"wait": f"{_MIGRATION_SECONDS}s"})


def _order_by_code_points(connection: Connection) -> None:
    """All text, as SQLite orders and compares it, in any locale."""
    quote = connection.dialect.identifier_preparer.quote
    for table, column, kind in connection.execute(_OTHER_ORDER, _OURS).all():
        connection.exec_driver_sql(
            f'ALTER TABLE {quote(table)} ALTER COLUMN {quote(column)} TYPE {kind} COLLATE "C"'
        )


def _set(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.execute(_SET)
    connection.commit()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    if writes is not None:
        connection.execute(_LOCK if writes else _LIMIT)


def _in_order(names: Iterable[str], seconds: int) -> Mapping[str, Any]:
    """All take them in one order, so that no two wait for each other."""
    return {"names": sorted({*names}), "wait": f"{seconds}s"}


def _let_go(connection: Connection) -> None:
    if connection.invalidated:  # nothing is held; it would wait for another connection
        return
    connection.execution_options(writes=None)
    try:
        with connection.begin():
            connection.exec_driver_sql(_LET_GO)
    except DBAPIError:
        connection.invalidate()  # what it held goes with it
