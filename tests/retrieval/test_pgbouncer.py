"""A catalogue on a server behind PgBouncer, which lends each session a connection of its own."""

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.engine import make_url

from evaluation.services.postgres import PostgresServer
from evaluation.services.shared import stalled
from retrieval import dialects
from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.schema import marks
from tests.catalogues import on_postgres
from tests.pgbouncer import bouncing, needs_pgbouncer
from tests.postgres import running

pytestmark = [on_postgres, needs_pgbouncer]

SOON = 30.0  # seconds that nothing here takes
SETTINGS = ("jit", "statement_timeout", "tcp_keepalives_idle", "idle_session_timeout")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running() as found:
        yield found


@pytest.fixture
def url(server: PostgresServer) -> Iterator[str]:
    with bouncing(server.url) as found:
        yield found


def put(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(marks.insert().values(name=name, value=""))


def names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(marks.c.name)))


def session(connection: Connection) -> list[str]:
    """The server's process, and its settings."""
    asked = ["SELECT pg_backend_pid()", *(f"SHOW {name}" for name in SETTINGS)]
    return [str(connection.scalar(text(one))) for one in asked]


def test_what_is_held_is_held_by_one_process_and_what_is_lost_is_told(url: str) -> None:
    one, other = Database(url), Database(url)
    with pytest.raises(StoreUnavailable, match="lost"), one.hold(["a"]) as held:
        put(held, "held")
        with pytest.raises(StoreUnavailable, match="too busy"), other.hold(["a"], seconds=1):
            pass
        with held.write() as connection:
            mine = connection.scalar(text("SELECT pg_backend_pid()"))
        with other.read() as connection:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
        with other.hold(["a"]):
            for _ in range(2):  # the second time it could connect anew
                with pytest.raises(StoreUnavailable):
                    put(held, "too late")
            held.still_held()
    assert names(other) == {"held"}
    one.close()
    other.close()


def test_who_comes_next_has_nothing_of_what_was_set(server: PostgresServer) -> None:
    with bouncing(server.url, connections=1) as url:
        theirs = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
        with theirs.connect() as connection:
            before = session(connection)
        theirs.dispose()
        ours = Database(url, connections=1)
        with ours.hold(["a"]) as held, held.write() as connection:
            meanwhile = session(connection)
        ours.close()
        with theirs.connect() as connection:
            after = session(connection)
        theirs.dispose()
    pid, *settings = meanwhile
    assert settings == ["off", "0", "20", "1min"]
    assert after == before
    assert after[:2] == [pid, "on"]  # it is the same connection


def test_a_server_that_hangs_behind_it_is_noticed(
    server: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.server, "_PATIENCE", 0.1)
    database = Database(url)
    assert names(database) >= set()  # so one is open
    with stalled(server):
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            names(database)
        assert time.monotonic() - began < SOON
    database.close()
