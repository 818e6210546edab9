"""Turns in a catalogue on Postgres, looked at while somebody has them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from evaluation.worker_scaling.locks import LockWatch, Turns, watching
from retrieval.database import Database
from tests.catalogues import catalogue_in, on_postgres

pytestmark = on_postgres


def until(watch: LockWatch, true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        watch.look()


def in_a_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def writes(database: Database) -> None:
    with database.write():
        pass


def holds(database: Database, name: str) -> None:
    with database.hold([name]):
        pass


def test_nobody_has_a_turn(tmp_path: Path) -> None:
    watch = LockWatch(catalogue_in(tmp_path), ["docs"])
    assert watch.writing == watch.publishing == Turns()
    watch.look()
    assert watch.writing == watch.publishing == Turns()


def test_who_writes_and_who_waits_for_it(tmp_path: Path) -> None:
    database = catalogue_in(tmp_path)
    watch = LockWatch(database, ["docs"])
    with database.write():
        watch.look()
        assert watch.writing == Turns(taken=1.0)
        other = in_a_thread(lambda: writes(database))
        until(watch, lambda: watch.writing.waiting > 0)
    other.join()
    assert watch.writing.taken == 1.0
    assert watch.publishing == Turns()


def test_who_publishes_where_it_is_looked_at(tmp_path: Path) -> None:
    database = catalogue_in(tmp_path)
    watch = LockWatch(database, ["docs", "notes"])
    with database.hold(["docs", "notes", "another"]):
        watch.look()
        assert watch.publishing == Turns(taken=2.0)
        other = in_a_thread(lambda: holds(database, "docs"))
        until(watch, lambda: watch.publishing.waiting > 0)
    other.join()
    assert watch.writing == Turns()


def test_it_looks_again_and_again_until_the_block_ends(tmp_path: Path) -> None:
    database = catalogue_in(tmp_path)
    with watching(database, ["docs"]) as watch, database.hold(["docs"]):
        deadline = time.monotonic() + 20
        while not watch.publishing.taken and time.monotonic() < deadline:
            time.sleep(0.01)
    assert watch.publishing.taken > 0.5
