"""Rates that processes count together."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from retrieval import rates as rates_module
from retrieval.database import Database
from retrieval.rates import SharedRates
from retrieval.schema import rates
from tests.catalogues import catalogue_in, on_postgres

pytestmark = on_postgres


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def processes(tmp_path: Path, database: Database) -> Iterator[list[SharedRates]]:
    others = [catalogue_in(tmp_path) for _ in range(3)]
    yield [SharedRates(one) for one in (database, *others)]


def pass_(database: Database, seconds: int) -> None:
    with database.write() as connection:
        connection.execute(update(rates).values(second=rates.c.second - seconds))


def test_all_processes_together_do_it_so_often(processes: list[SharedRates]) -> None:
    def take(at: int) -> float:
        return processes[at % len(processes)].take("a", 50)

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(take, range(200)))
    assert waits.count(0.0) == 50
    assert all(0.0 < wait <= 61.0 for wait in waits if wait)


def test_no_minute_has_more_and_whoever_waits_as_long_as_is_said_may(database: Database) -> None:
    done, passed, taken = SharedRates(database), 0, list[int]()
    for number in range(60):
        if wait := int(done.take("a", 5)):
            pass_(database, wait)
            passed += wait
            assert done.take("a", 5) == 0.0
        taken.append(passed)
        pass_(database, number % 7)
        passed += number % 7
    assert all(later - first >= 60 for first, later in zip(taken, taken[5:], strict=False))
    assert passed < 61 * 60 / 5 + 60


def test_a_rate_that_was_lowered_counts_at_once(database: Database) -> None:
    done = SharedRates(database)
    for _ in range(10):
        assert done.take("a", 10) == 0.0
        pass_(database, 1)
    assert 57.0 <= done.take("a", 2) <= 60.0


def test_a_clock_that_was_set_back_holds_nobody_up_for_longer(database: Database) -> None:
    done = SharedRates(database)
    assert done.take("a", 2) == 0.0
    pass_(database, -3600)
    assert done.take("a", 2) == 0.0
    pass_(database, 61)
    assert done.take("a", 1) == 0.0


def test_nobody_waits_for_who_writes_documents(database: Database, tmp_path: Path) -> None:
    done = SharedRates(catalogue_in(tmp_path))
    with database.write() as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(text("SELECT 1"))
        assert pool.submit(done.take, "a", 1).result(20) == 0.0


def test_names_that_were_not_used_for_a_minute_are_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates_module, "_TIDY", 3)
    done = SharedRates(database)
    done.take("old", 1)
    pass_(database, 62)
    done.take("new", 1)
    done.take("newest", 1)
    with database.read() as connection:
        assert {*connection.scalars(select(rates.c.name))} == {"new", "newest"}


def test_they_are_not_logged(database: Database) -> None:
    with database.read() as connection:
        found = connection.scalar(text("SELECT relpersistence FROM pg_class WHERE relname='rates'"))
    assert found == "u"
