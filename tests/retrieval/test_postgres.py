"""A catalogue on a server, which other processes use too, and which may be gone for a while."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from sqlalchemy import Connection, func, select, text
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from evaluation.services.postgres import PostgresServer
from retrieval import database as database_module
from retrieval import dialects
from retrieval.database import Database
from retrieval.dialects.postgres import WRITER
from retrieval.errors import InvalidRequest, StillHeld, StoreUnavailable
from retrieval.schema import marks
from tests.catalogues import at_revision, catalogue_in, end_sessions, on_postgres, url_of
from tests.postgres import running

pytestmark = on_postgres

SOON = 30.0  # seconds that nothing here takes


def put(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(marks.insert().values(name=name, value=""))


def names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(marks.c.name)))


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """One of its own, to be stopped."""
    with running() as found:
        yield found


def aside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def soon(true: Callable[[], bool]) -> None:
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_writer_waits_for_that_of_another_process_and_sees_what_it_wrote(
    one: Database, other: Database
) -> None:
    began = threading.Event()

    def count() -> None:
        began.set()
        with other.write() as connection:
            there = connection.scalar(select(func.count()).select_from(marks))
            connection.execute(marks.insert().values(name=f"after {there}", value=""))

    with one.write() as connection:
        thread = aside(count)
        assert began.wait(SOON)
        thread.join(0.2)
        assert thread.is_alive()
        connection.execute(marks.insert().values(name="first", value=""))
    thread.join(SOON)
    assert names(one) == {"first", "after 1"}


def test_readers_wait_for_nobody_and_write_nothing(one: Database, other: Database) -> None:
    with one.write() as connection:
        connection.execute(marks.insert().values(name="a", value=""))
        assert names(other) == set()
    with pytest.raises(StoreUnavailable, match="read-only"), one.read() as connection:
        connection.execute(marks.insert().values(name="b", value=""))
    assert names(other) == {"a"}


def test_who_writes_beside_waits_for_no_writer_and_each_statement_sees_the_newest(
    one: Database, other: Database
) -> None:
    with one.write() as connection:
        connection.execute(marks.insert().values(name="writer's", value=""))
        with other.beside() as beside:
            beside.execute(marks.insert().values(name="beside", value=""))
    assert names(one) == {"writer's", "beside"}
    with one.beside() as beside, one.glance() as glance:
        for connection in (beside, glance):
            assert len(connection.execute(select(marks)).all()) == 2
        put(other, "new")
        for connection in (beside, glance):
            assert len(connection.execute(select(marks)).all()) == 3


def test_a_name_is_held_by_one_process(one: Database, other: Database) -> None:
    got = threading.Event()

    def hold() -> None:
        with other.hold(["b", "c"]):
            got.set()

    with one.hold(["a", "b"]) as held:
        put(held, "written")
        thread = aside(hold)
        with other.hold(["c", "d"]):
            pass
        assert not got.wait(0.2)
    thread.join(SOON)
    assert got.is_set()
    assert names(other) == {"written"}


def test_it_is_opened_while_another_process_writes(one: Database, tmp_path: Path) -> None:
    with one.write():
        assert names(catalogue_in(tmp_path)) == set()


def test_who_migrates_waits_for_another_who_does_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = at_revision(tmp_path, "0015")
    migrate, waited = database_module._migrate, list[str]()

    def migrating(connection: Connection) -> None:
        waited.append(connection.scalar(text("SHOW lock_timeout")) or "")
        migrate(connection)

    monkeypatch.setattr(database_module, "_migrate", migrating)
    with capture_logs() as logged, older.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER})"))
        thread = aside(lambda: put(catalogue_in(tmp_path), "migrated"))
        soon(lambda: [one["event"] for one in logged] == ["waiting_for_another_process"])
        thread.join(0.2)
        assert waited == []
    thread.join(SOON)
    assert waited == ["30s"]  # for a table, for which others wait then, too
    assert len(logged) == 1
    assert names(catalogue_in(tmp_path)) == {"migrated"}
    older.dispose()


def test_who_waited_for_another_who_migrates_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.postgres, "_MIGRATION_SECONDS", 1)
    older = at_revision(tmp_path, "0015")
    with older.begin() as connection:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER})"))
        with pytest.raises(StoreUnavailable, match=r"another process.*migrates") as raised:
            catalogue_in(tmp_path)
    assert "FOOTNOTE_DATABASE_URL" not in str(raised.value)
    assert names(catalogue_in(tmp_path)) == set()
    older.dispose()


def test_who_waits_for_names_returns_when_they_are_let_go_and_holds_none(
    one: Database, other: Database
) -> None:
    with one.hold(["a", "b"]):
        thread = aside(lambda: other.wait(["b", "c"]))
        other.wait(["c"])
        with pytest.raises(StoreUnavailable, match="too busy"):
            other.wait(["c", "a"], seconds=1)
        assert thread.is_alive()
    thread.join(SOON)
    assert not thread.is_alive()
    other.wait(["a", "b"])
    with one.hold(["a", "b", "c"], seconds=1):
        pass


def test_it_is_waited_as_long_as_asked(one: Database, other: Database) -> None:
    with (
        one.hold(["a"]),
        pytest.raises(StoreUnavailable, match="too busy: another process writes to it"),
        other.hold(["a"], seconds=1),
    ):
        pass
    with other.hold(["a"], seconds=1):
        pass


def test_who_lost_what_it_held_writes_nothing_by_way_of_it(one: Database, other: Database) -> None:
    with pytest.raises(StoreUnavailable), one.hold(["a"]) as held:
        end_sessions(other)
        for _ in range(2):  # the second time it could connect anew
            with pytest.raises(StoreUnavailable):
                put(held, "too late")
        raise StoreUnavailable
    with other.hold(["a"]):
        assert names(one) == set()


def test_who_waits_for_a_server_that_hangs_is_told_soon(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.server, "_PATIENCE", 0.1)
    monkeypatch.setattr(dialects.server, "_FRESH", 1.0)
    database, idle = Database(server.url), Database(server.url)
    with pytest.raises(StoreUnavailable), database.read() as connection:
        server.stall()
        try:
            connection.execute(text("SELECT 1"))
        finally:
            began = time.monotonic()
            for one in (database, idle, database):  # two connect anew, or have one that is silent
                with pytest.raises(StoreUnavailable):
                    names(one)
            assert time.monotonic() - began < SOON
            server.resume()
    while True:
        try:
            put(database, "resumed")
        except StoreUnavailable:
            assert time.monotonic() - began < 2 * SOON
            time.sleep(0.1)
        else:
            break
    assert "resumed" in names(idle)
    database.close()
    idle.close()


def test_a_statement_may_take_as_long_as_it_takes(
    one: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[bool] = []
    answers = dialects.server._answers

    def asked(*where: object, **how: object) -> bool:
        said.append(answers(*where, **how))
        return said[-1]

    monkeypatch.setattr(dialects.server, "_PATIENCE", 0.1)
    monkeypatch.setattr(dialects.server, "_FRESH", 0.2)
    monkeypatch.setattr(dialects.server, "_answers", asked)
    with one.read() as connection:
        assert connection.scalar(text("SELECT 1 FROM pg_sleep(1)")) == 1
    assert len(said) > 1
    assert all(said)


def test_what_was_open_goes_on_after_the_server_was_started_again(server: PostgresServer) -> None:
    database = Database(server.url)
    put(database, "before")
    server.stop("immediate")
    for attempt in (names, lambda database: put(database, "meanwhile")):
        with pytest.raises(StoreUnavailable, match="can't be reached") as raised:
            attempt(database)
        assert str(make_url(server.url).port) not in str(raised.value)
    server.start()
    put(database, "after")
    assert names(database) >= {"before", "after"}
    database.close()


def test_what_a_stopped_server_interrupts_is_taken_back(server: PostgresServer) -> None:
    database = Database(server.url)
    with pytest.raises(StoreUnavailable), database.write() as connection:
        connection.execute(marks.insert().values(name="interrupted", value=""))
        server.stop()
    with pytest.raises(StoreUnavailable):
        Database(server.url)
    server.start()
    assert "interrupted" not in names(database)
    database.close()


def test_while_the_server_restarts_nothing_else_is_raised_and_nothing_is_lost(
    server: PostgresServer,
) -> None:
    database, stop = Database(server.url), threading.Event()
    kept: set[str] = set()
    others: list[Exception] = []

    def write(number: int) -> None:
        with database.hold([str(number % 2)]) as held:
            put(held if number % 3 else database, f"storm {number}")

    def work(first: int) -> None:
        for number in count(first, 6):
            if stop.is_set():
                return
            try:
                write(number)
                kept.add(f"storm {number}")
                names(database)
            except StoreUnavailable:
                stop.wait(0.01)
            except Exception as error:  # noqa: BLE001 - which there is to be none of
                others.append(error)

    threads = [aside(partial(work, first)) for first in range(6)]
    for mode in ("fast", "immediate"):
        before = len(kept)
        while len(kept) < before + 20:
            stop.wait(0.01)
        server.stop(mode)
        server.start()
    stop.set()
    for thread in threads:
        thread.join(SOON)
    assert others == []
    assert kept <= names(database)
    database.close()


def test_a_database_in_another_encoding_is_refused(server: PostgresServer) -> None:
    database = Database(server.url)
    with database._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )
    database.close()
    with pytest.raises(StoreUnavailable, match="LATIN1"):
        Database(make_url(server.url).set(database="latin"))


def test_a_server_that_is_too_old_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_revision(tmp_path, "0015").dispose()
    newer = "client_connection_check_interval"
    monkeypatch.setattr(dialects.postgres, "_SET", dialects.postgres._SET.replace(newer, "newer"))
    monkeypatch.setattr(dialects.postgres, "_OLDEST", 99)
    with pytest.raises(StoreUnavailable, match=r"has version \d\d; a catalogue needs 99 or newer"):
        catalogue_in(tmp_path)


def test_what_an_index_has_no_room_for_is_refused(one: Database) -> None:
    long = "".join(chr(0x4E00 + n * 7_919 % 20_011) for n in range(4_000))
    with pytest.raises(InvalidRequest, match="index"):
        put(one, long)


def test_who_may_not_make_tables_is_told(server: PostgresServer) -> None:
    database = Database(server.url)
    with database._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql("CREATE ROLE reader LOGIN PASSWORD 'secret'")
        connection.exec_driver_sql("CREATE DATABASE theirs TEMPLATE template0")
    database.close()
    url = make_url(server.url).set(username="reader", password="secret", database="theirs")
    with pytest.raises(StoreUnavailable, match="permission denied") as raised:
        Database(url)
    assert "secret" not in str(raised.value)


def test_who_lacks_a_right_is_told_which(server: PostgresServer) -> None:
    owner = Database(server.url)
    with owner.write() as connection:
        connection.exec_driver_sql("CREATE ROLE looker LOGIN")
        connection.exec_driver_sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker")
    looker = Database(make_url(server.url).set(username="looker"))
    assert names(looker) == names(owner)
    with pytest.raises(StoreUnavailable, match="permission denied for table marks") as raised:
        put(looker, "denied")
    assert "INSERT" not in str(raised.value)
    looker.close()
    owner.close()


@pytest.mark.parametrize("change", ["TABLE marks RENAME", "TABLE marks RENAME COLUMN name"])
def test_a_process_beside_one_that_migrated_is_told_to_be_the_newest(
    one: Database, change: str
) -> None:
    with one.write() as connection:
        connection.exec_driver_sql(f"ALTER {change} TO another")
    with pytest.raises(StoreUnavailable, match=r"marks.*restart this process with the ne") as told:
        names(one)
    assert "SELECT" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "says"), [({"port": 1}, "refused"), ({"query": {"foo": "1"}}, 'option "foo"')]
)
def test_what_cannot_be_opened_is_told_in_one_line_with_its_setting(
    server: PostgresServer, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(StoreUnavailable, match=rf"{says}\. Check FOOTNOTE_DATABASE_URL") as raised:
        Database(make_url(server.url).set(**change))
    assert "\n" not in str(raised.value)


def test_a_server_with_no_connection_free_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"max_connections": 4, "superuser_reserved_connections": 0, "max_wal_senders": 0}
    with running(**few) as server:
        processes = [Database(server.url, connections=3) for _ in range(2)]

        def read(number: int) -> None:
            for _ in range(10):
                with processes[number % 2].read() as connection:
                    connection.execute(text("SELECT pg_sleep(0.02)"))

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(read, range(6)))
        for database in processes:
            database.close()  # what it kept is another's to open
        monkeypatch.setattr(dialects.postgres, "BUSY_SECONDS", 1)
        with ExitStack() as held:
            for database in (*processes, processes[0], processes[0]):
                held.enter_context(database.read())
            with pytest.raises(StoreUnavailable, match="FOOTNOTE_DATABASE_CONNECTIONS"):
                names(processes[1])
        for database in processes:
            database.close()


def test_a_password_is_told_nobody(server: PostgresServer) -> None:
    url = make_url(server.url)
    wrong = url.set(database="nowhere").update_query_dict({"password": "secret"})
    with pytest.raises(StoreUnavailable, match="nowhere") as raised:
        Database(wrong)
    assert "secret" not in "".join(format_exception(raised.value))


def test_a_process_that_is_gone_without_a_word_is_noticed(one: Database) -> None:
    names = ("idle", "interval", "count")
    with one.read() as connection:
        found = [connection.scalar(text(f"SHOW tcp_keepalives_{name}")) for name in names]
        patience = connection.scalar(text("SHOW tcp_user_timeout"))
        watch = connection.scalar(text("SHOW client_connection_check_interval"))
    assert (found, patience, watch) == (["20", "10", "3"], "50000", "10s")


def test_the_url_may_say_otherwise(tmp_path: Path) -> None:
    options = "-c jit=on -c search_path=public -c client_connection_check_interval=7s"
    more = {"options": options, "application_name": "mine"}
    database = Database(make_url(url_of(tmp_path)).update_query_dict(more))
    names = ("jit", "client_connection_check_interval", "application_name", "tcp_keepalives_idle")
    with database.read() as connection:
        found = [connection.scalar(text(f"SHOW {name}")) for name in names]
    assert found == ["on", "7s", "mine", "20"]
    database.close()


def test_what_a_database_allows_a_statement_ends_no_wait(one: Database, tmp_path: Path) -> None:
    with one.write() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET statement_timeout = '100ms'")
    other = catalogue_in(tmp_path)
    with one.hold(["a"]):
        with pytest.raises(StillHeld), other.hold(["a"], seconds=1):
            pass
        with pytest.raises(StillHeld):
            other.wait(["a"], seconds=1)
    with other.write() as connection:
        connection.execute(text("SELECT pg_sleep(0.2)"))


def test_tables_of_others_in_the_same_schema_are_left_alone(server: PostgresServer) -> None:
    database = Database(server.url)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE theirs (name varchar)"))
        connection.execute(text("CREATE VIEW seen AS SELECT name FROM marks"))
        before = database.size()
        connection.execute(text("INSERT INTO theirs SELECT generate_series(1, 10000)"))
    database.close()
    again = Database(server.url)
    collations = text(
        "SELECT collation_name FROM information_schema.columns WHERE table_name = 'theirs'"
    )
    with again.write() as connection:
        assert connection.scalar(collations) is None
        connection.execute(text("DROP VIEW seen"))
        connection.execute(text("DROP TABLE theirs"))
    assert again.size() == before
    again.close()


def test_without_the_driver_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = url_of(tmp_path)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "retrieval.dialects.characters")
    monkeypatch.delattr(dialects, "characters")
    with pytest.raises(StoreUnavailable, match=r"footnote\[postgres\]"):
        Database(url)


def test_processes_that_start_together_make_one_schema(tmp_path: Path) -> None:
    with running() as fresh:
        opened: list[Database] = []
        threads = [aside(lambda: opened.append(Database(fresh.url))) for _ in range(4)]
        for thread in threads:
            thread.join(SOON)
        assert [names(database) for database in opened] == [set()] * 4
        for database in opened:
            database.close()


def test_all_text_is_ordered_in_one_way(one: Database) -> None:
    query = (
        "SELECT DISTINCT collation_name FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND collation_name IS NOT NULL"
    )
    with one.read() as connection:
        assert [*connection.scalars(text(query))] == ["C"]
