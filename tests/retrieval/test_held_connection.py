"""Names that a process holds in a catalogue on a server, while it is at work and when it isn't."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text
from structlog.testing import capture_logs

from retrieval import dialects
from retrieval.database import Database
from retrieval.dialects import held_connection
from retrieval.dialects.held_connection import HeldConnection
from retrieval.errors import StoreUnavailable
from retrieval.schema import marks
from tests.catalogues import on_postgres, url_of

pytestmark = on_postgres

SOON = 30  # seconds that nothing here takes
SILENCE = 2.0  # after which a session that says nothing loses what it holds
SETTINGS = ("idle_session_timeout", "idle_in_transaction_session_timeout")

WAITS = text(  # tests share the server
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

# Each line that it is sent makes it write once by way of what it holds.
HOLDER = """
import sys

from retrieval import dialects
from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.schema import marks

dialects.postgres._STALLED_SECONDS = float(sys.argv[2])
with Database(sys.argv[1]).hold(["a"]) as held:
    print("> holds", flush=True)
    for line in sys.stdin:
        try:
            with held.write() as connection:
                connection.execute(marks.insert().values(name=line.strip(), value=""))
        except StoreUnavailable as error:
            print(">", error, flush=True)
        else:
            print("> written", flush=True)
"""


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects.postgres, "_STALLED_SECONDS", SILENCE)


class Holder:
    """A process that holds the name `a`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def says(self) -> str:
        assert self.process.stdout is not None
        said = (line.removeprefix("> ") for line in self.process.stdout if line.startswith("> "))
        return next(said).strip()  # the others are of its log

    def writes(self, name: str) -> str:
        """What it says of that."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return self.says()


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    with holding(url_of(tmp_path)) as found:
        assert found.says() == "holds"
        yield found


@contextmanager
def holding(url: str) -> Iterator[Holder]:
    command = [sys.executable, "-c", HOLDER, url, str(SILENCE)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:  # noqa: S603
        try:
            yield Holder(process)
        finally:
            process.kill()


def put(database: Database, name: str) -> None:
    with database.write() as connection:
        connection.execute(marks.insert().values(name=name, value=""))


def names(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(marks.c.name)))


def settings(connection: Connection) -> list[str]:
    return [str(connection.scalar(text(f"SHOW {name}"))) for name in SETTINGS]


def lose(held: Database) -> None:
    """Let the server end the session that holds names."""
    with pytest.raises(StoreUnavailable), held.write() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))


def waits(database: Database) -> bool:
    """Whether anybody does for a name, or to write."""
    with database.glance() as connection:
        return bool(connection.scalar(WAITS))


def test_a_process_that_is_stopped_loses_what_it_holds(one: Database, holder: Holder) -> None:
    assert holder.writes("before") == "written"
    holder.process.send_signal(signal.SIGSTOP)
    with one.hold(["a"], seconds=SOON):
        holder.process.send_signal(signal.SIGCONT)
        for _ in range(2):  # the second time it could connect anew
            assert "lost" in holder.writes("after")
    assert names(one) == {"before"}


def test_a_process_that_is_stopped_while_it_waits_holds_nothing_for_long(
    tmp_path: Path, one: Database
) -> None:
    with ExitStack() as over:
        with one.hold(["a"]):
            process = over.enter_context(holding(url_of(tmp_path))).process
            until = time.monotonic() + SOON
            while not waits(one):
                assert time.monotonic() < until
                time.sleep(0.01)
            process.send_signal(signal.SIGSTOP)
        with one.hold(["a"], seconds=SOON):
            assert process.poll() is None


def test_a_process_at_work_holds_for_as_long_as_it_takes(one: Database, other: Database) -> None:
    with one.hold(["a"]) as held:
        with pytest.raises(StoreUnavailable, match="too busy"), other.hold(["a"], seconds=5):
            pass
        put(held, "late")
    assert names(other) == {"late"}


def test_threads_take_turns_on_what_is_held(one: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_connection, "BEATS", 1_000)
    with one.hold(["a"]) as held:
        for number in range(200):
            put(held, str(number))
    assert len(names(one)) == 200


def test_a_connection_that_holds_nothing_any_more_may_be_silent(one: Database) -> None:
    with one.read() as connection:
        before = settings(connection)
    with one.hold(["a"]) as held, held.write() as connection:
        assert settings(connection)[0] == "2s"
    with one.read() as connection:
        assert settings(connection) == before


def test_what_is_lost_is_logged_once(one: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_connection, "BEATS", 1_000)
    with capture_logs() as logged, one.hold(["a"]) as held:
        lose(held)
        until = time.monotonic() + SOON
        while not logged:
            assert time.monotonic() < until
            time.sleep(0.01)
        time.sleep(0.1)  # many beats
    [only] = [one for one in logged if one["event"] == "not_prolonged"]
    assert "lost" in only["error"]


def test_what_only_fails_is_tried_again(one: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    again = threading.Event()

    def speak(_: HeldConnection) -> None:
        if failed:
            again.set()
        failed.append(1)
        raise StoreUnavailable("for a moment")

    failed: list[int] = []
    monkeypatch.setattr(held_connection, "BEATS", 1_000)
    monkeypatch.setattr(HeldConnection, "speak", speak)
    with one.hold(["a"]):
        assert again.wait(SOON)


def test_who_lets_go_of_what_is_lost_waits_for_no_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.postgres, "BUSY_SECONDS", 1)
    database = Database(url_of(tmp_path), connections=1)
    with ExitStack() as over, pytest.raises(KeyError), database.hold(["a"]) as held:
        lose(held)
        with pytest.raises(StoreUnavailable, match="lost"):
            held.still_held()
        over.enter_context(database.read())  # by the only one that there may be
        raise KeyError
    database.close()


def test_who_lost_what_it_held_is_told_whatever_it_does_next(
    one: Database, other: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HeldConnection, "speak", lambda _: None)
    with one.hold(["a"]) as held, other.hold(["a"], seconds=SOON):
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="lost"):
                put(held, "too late")
