"""Long work that one process does at a time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.database import Database
from retrieval.engine import Engine
from retrieval.errors import KnowledgeBaseNotFound, StoreUnavailable
from retrieval.works import Told, Works
from tests.catalogues import catalogue_in, on_postgres, on_sqlite
from tests.retrieval.library import SOON

BRIEF = 0.4  # seconds that a lease lasts of which somebody waits for the end


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def here(database: Database) -> Iterator[Works]:
    works = Works(database)
    yield works
    works.close()


@pytest.fixture
def there(tmp_path: Path, here: Works) -> Iterator[Works]:
    works = Works(catalogue_in(tmp_path))
    yield works
    works.close()


def test_one_at_a_time(here: Works) -> None:
    with here.turn("a") as work, here.turn("b") as other:
        assert work
        assert other
        with here.turn("a") as again:
            assert again is None
    with here.turn("a") as work:
        assert work


def test_what_is_told_stays_told(here: Works) -> None:
    assert here.of("a") is None
    with here.turn("a") as work:
        assert work
        assert here.of("a") is None
        work.tell({"state": "building", "done": 1})
        assert here.of("a") == Told({"state": "building", "done": 1}, is_over=False, is_done=True)
        work.end({"state": "done"})
    assert here.of("a") == Told({"state": "done"}, is_over=True, is_done=False)
    with here.turn("a"):
        assert here.of("a") == Told({"state": "done"}, is_over=True, is_done=True)


def test_what_breaks_off_is_told_as_such(here: Works) -> None:
    with pytest.raises(KeyError), here.turn("a") as work:
        assert work
        work.tell({"state": "building"})
        raise KeyError
    assert here.of("a") == Told({"state": "building"}, is_over=False, is_done=False)


def test_it_goes_with_its_knowledge_base(engine: Engine) -> None:
    kb, _ = engine.create("docs")
    with engine.works.turn("a", kb) as work:
        assert work
        work.tell({})
        engine.indexer.remove_knowledge_base(kb)
        assert engine.works.of("a") is None
        work.tell({})
        assert work.is_lost
    with pytest.raises(KnowledgeBaseNotFound, match="docs"):
        engine.works.begin("a", kb)


@on_sqlite
def test_a_process_that_starts_has_what_the_last_one_left(database: Database) -> None:
    assert Works(database).begin("a")
    assert Works(database).begin("a")


@on_postgres
def test_a_process_that_starts_leaves_what_others_do(here: Works, there: Works) -> None:
    assert here.begin("a")
    assert there.begin("a") is None
    assert there.begin("b")


@on_postgres
def test_what_a_dead_process_did_is_anothers_soon(database: Database, there: Works) -> None:
    dead = Works(database, BRIEF)
    work = dead.begin("a")
    assert work
    work.tell({"state": "building"})
    assert until_free(there, "a")
    dead.close()
    time.sleep(2 * BRIEF)
    assert there.of("a") == Told({"state": "building"}, is_over=False, is_done=False)
    mine = there.begin("a")
    assert mine
    mine.tell({"state": "mine"})
    work.end({"state": "too late"})
    assert work.is_lost
    dead.leave(work)
    assert there.of("a") == Told({"state": "mine"}, is_over=False, is_done=True)


def until_free(works: Works, name: str) -> bool:
    """Whether it is somebody's for longer than its lease would last by itself."""
    end = time.monotonic() + 4 * BRIEF
    while time.monotonic() < end:
        assert works.begin(name) is None
        time.sleep(BRIEF / 4)
    return True


@on_postgres
def test_who_was_away_too_long_learns_it(database: Database, there: Works) -> None:
    away = Works(database, BRIEF)
    work = away.begin("a")
    assert work
    work.lease, lease = "another", work.lease
    until = time.monotonic() + SOON
    while not work.is_lost:
        assert time.monotonic() < until
        time.sleep(0.05)
    work.lease = lease
    away.close()


@on_postgres
def test_without_the_catalogue_it_goes_on(
    database: Database, there: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    prolong, failed = Works._prolong, list[int]()

    def fail_twice(works: Works) -> None:
        if len(failed) < 2:
            failed.append(1)
            raise StoreUnavailable("away")
        prolong(works)

    monkeypatch.setattr(Works, "_prolong", fail_twice)
    works = Works(database, BRIEF)
    work = works.begin("a")
    assert work
    assert until_free(there, "a")
    assert len(failed) == 2
    assert not work.is_lost
    works.close()
