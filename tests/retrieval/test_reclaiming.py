import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from structlog.testing import capture_logs

from retrieval import reclaiming, removal
from retrieval.errors import StillHeld, StoreUnavailable
from retrieval.ports import Blobs
from retrieval.reclaiming import Reclaimer
from retrieval.side_by_side import AT_ONCE
from tests.catalogues import on_postgres
from tests.retrieval.library import SOON, Library


@dataclass
class Deleting:
    """How a store deletes: by `how`, if that is given. `tried` tells of each attempt."""

    delete: Callable[[str], None]
    how: Callable[[str], object] | None = None
    attempts: list[str] = field(default_factory=list)
    tried: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, digest: str) -> None:
        try:
            if self.how:
                self.how(digest)
            self.delete(digest)
        finally:
            with self.tried:
                self.attempts.append(digest)
                self.tried.notify_all()

    def wait(self, true: Callable[[], Any]) -> None:
        with self.tried:
            assert self.tried.wait_for(true, SOON)


def away(_digest: str) -> None:
    raise StoreUnavailable("away")


def broken(_digest: str) -> None:
    raise RuntimeError("broken")


@pytest.fixture
def store(library: Library) -> Blobs:
    return library.engine.blobs


@pytest.fixture
def deleting(store: Blobs, monkeypatch: pytest.MonkeyPatch) -> Deleting:
    found = Deleting(store.delete)
    monkeypatch.setattr(store, "delete", found)
    return found


@pytest.fixture
def reclaimer(library: Library, store: Blobs) -> Iterator[Reclaimer]:
    made = Reclaimer(library.engine.database, store)
    yield made
    made.close()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once; to be used before a reclaimer is made, as the next one."""
    monkeypatch.setattr(reclaiming, "_FIRST", 0.001)
    monkeypatch.setattr(reclaiming, "_LONGEST", 0.01)


@pytest.fixture
def much_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reclaiming, "_FIRST", SOON)
    monkeypatch.setattr(reclaiming, "_LONGEST", 4 * SOON)


def put(store: Blobs, count: int) -> list[str]:
    return [store.put(f"{n}".encode()) for n in range(count)]


@pytest.mark.parametrize("fault", [away, broken])
@pytest.mark.usefixtures("at_once")
def test_what_could_not_be_deleted_is_tried_until_it_is(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer, fault: Callable[[str], None]
) -> None:
    deleting.how = fault
    reclaimer.release(put(store, 3 * AT_ONCE))
    deleting.wait(lambda: len(deleting.attempts) > 5 * AT_ONCE)
    assert len([*store.digests()]) == 3 * AT_ONCE
    deleting.how = None
    deleting.wait(lambda: not [*store.digests()])


@pytest.mark.usefixtures("at_once")
def test_a_catalogue_that_fails_keeps_nothing_for_ever(
    library: Library, store: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Semaphore(0)

    def hold(*_: object, **__: object) -> Any:
        asked.release()
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(library.engine.database, "hold", hold)
        library.indexer.release(put(store, 1))
        for _ in range(3):
            assert asked.acquire(timeout=SOON)
    library.indexer.settle()
    assert [*store.digests()] == []


@pytest.mark.usefixtures("at_once")
def test_those_that_never_can_be_deleted_keep_no_others(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer
) -> None:
    digests = put(store, 5 * AT_ONCE)
    bad = {*digests[: 2 * AT_ONCE]}
    deleting.how = lambda digest: away(digest) if digest in bad else None
    reclaimer.release(digests)
    deleting.wait(lambda: {*store.digests()} == bad)


@pytest.mark.usefixtures("much_later")
def test_a_store_that_is_away_is_asked_for_few_and_they_wait_longer_each_time(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer
) -> None:
    deleting.how = away
    with capture_logs() as logs:
        reclaimer.release(put(store, 3 * AT_ONCE))
        for _ in range(4):
            reclaimer.settle()
    tried = len(deleting.attempts)
    assert tried % AT_ONCE == 0
    assert AT_ONCE < tried <= 5 * AT_ONCE
    assert {one["blobs"] for one in logs} == {3 * AT_ONCE}
    assert [one["again_in"] for one in logs][:4] == [SOON, 2 * SOON, 4 * SOON, 4 * SOON]
    deleting.how = None
    reclaimer.settle()
    assert [*store.digests()] == []
    assert reclaimer._pause == SOON


@pytest.mark.usefixtures("much_later")
def test_what_comes_meanwhile_does_not_wait_for_what_could_not_be_deleted(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer
) -> None:
    bad, *others = put(store, 3)
    deleting.how = lambda digest: away(digest) if digest == bad else None
    with capture_logs() as logs:
        for digest in (bad, *others):
            reclaimer.release([digest])
        deleting.wait(lambda: {*store.digests()} == {bad})
        assert deleting.attempts.count(bad) == 1
        reclaimer.close()
    assert [one["blobs"] for one in logs] == [1, 1]
    assert [one.get("error") for one in logs] == ["away", None]


@on_postgres  # where others may hold it
@pytest.mark.usefixtures("much_later")
def test_one_that_others_hold_keeps_only_those_beside_it(
    library: Library,
    store: Blobs,
    deleting: Deleting,
    reclaimer: Reclaimer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "_PATIENCE", 0.05)
    digests = put(store, 3 * AT_ONCE)
    with library.engine.database.hold([digests[0]]):
        reclaimer.release(digests)
        deleting.wait(lambda: {*store.digests()} == {*digests[:AT_ONCE]})
        with pytest.raises(StillHeld):
            removal.release(library.engine.database, store, digests)
    reclaimer.settle()
    assert [*store.digests()] == []


def until_closed(reclaimer: Reclaimer, begun: threading.Event) -> None:
    """Take as long as that is open."""
    begun.set()
    with reclaimer._changed:
        assert reclaimer._changed.wait_for(lambda: reclaimer._ends < math.inf, SOON)


def test_what_waits_when_it_is_closed_is_deleted_and_what_fails_is_not_tried_again(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer
) -> None:
    begun, digests = threading.Event(), put(store, 4 * AT_ONCE)

    def slow(digest: str) -> None:
        until_closed(reclaimer, begun)
        if digest == digests[0]:
            away(digest)

    deleting.how = slow
    reclaimer.release(digests)
    assert begun.wait(SOON)
    reclaimer.close()
    assert [*store.digests()] == [digests[0]]
    assert deleting.attempts.count(digests[0]) == 1


def test_nothing_more_is_begun_when_closing_takes_long(
    store: Blobs, deleting: Deleting, reclaimer: Reclaimer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reclaiming, "_CLOSING", 0.0)
    begun = threading.Event()
    deleting.how = lambda _: until_closed(reclaimer, begun)
    reclaimer.release(put(store, 3 * AT_ONCE))
    assert begun.wait(SOON)
    with capture_logs() as logs:
        reclaimer.close()
    assert [one["blobs"] for one in logs] == [2 * AT_ONCE]
    assert len([*store.digests()]) == 2 * AT_ONCE
