"""Processes that write into one catalogue at the same time."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from retrieval import removal
from retrieval.consistency import Consistency, forget_remains
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, StoreUnavailable
from retrieval.inspection import Inspection
from retrieval.types import Mode
from tests.another_engine import beside
from tests.catalogues import end_sessions, on_postgres
from tests.retrieval.library import SOON, Library

pytestmark = on_postgres


@pytest.fixture
def other(engine: Engine, library: Library) -> Iterator[Library]:
    """The same knowledge base in another process."""
    with beside(engine) as another:
        there = Library(another)
        yield there
        there.indexer.close()


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(len(calls))

    def begin(call: Callable[[], Any]) -> Any:
        barrier.wait(SOON)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(begin, calls))


def wrong(library: Library, *indexers: Library) -> list[str]:
    for one in (library, *indexers):
        one.indexer.settle()
    engine = library.engine
    found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    return [f"{finding.subject}: {finding.detail}" for finding in found if not finding.ok]


def test_versions_of_a_document_become_live_one_after_the_other(
    library: Library, other: Library
) -> None:
    for n in range(10):
        texts = (f"# Tea\n\nTea is at {n}.\n\n# More\n\nOf {drink}." for drink in ("tea", "milk"))
        at_once(*map(partial, (library.add, other.add), ("a", "a"), texts))
    assert wrong(library, other) == []
    assert library.indexed() == 2
    [found] = library.texts("tea milk").values()
    assert found[0] == "Tea is at 9."


def test_bytes_that_come_in_twice_at_once_are_added_once(library: Library, other: Library) -> None:
    for n in range(10):
        text = f"The same {n}."
        both = at_once(
            partial(library.upload, f"a{n}.md", text), partial(other.upload, f"b{n}.md", text)
        )
        assert sorted(one.outcome for one in both) == ["added", "duplicate"]


def test_what_is_removed_here_and_added_there_is_whole_or_gone(
    library: Library, other: Library
) -> None:
    text = "# Tea\n\nTea is at four.\n\n# Coffee\n\nCoffee is at nine."
    document = library.add("a", text).document_id

    def remove() -> None:
        try:
            library.indexer.remove(library.kb, document)
        except DocumentNotFound:
            return  # it was added after the last time, and isn't there yet

    for _ in range(10):
        at_once(remove, partial(other.add, "a", text))
        assert wrong(library, other) == []
    other.add("a", text)
    assert library.stored() == other.stored() == (2, 2)


def test_a_process_that_starts_leaves_what_others_stage(library: Library, other: Library) -> None:
    staged, started = threading.Event(), threading.Event()
    put = other.engine.blobs.put

    def waiting(data: bytes) -> str:
        staged.set()
        starting.join(0.5)
        assert starting.is_alive()
        return put(data)

    def start() -> None:
        assert staged.wait(SOON)
        forget_remains(library.engine.database)
        Consistency(library.engine.database, library.engine.stores).restore()
        started.set()

    starting = threading.Thread(target=start)
    starting.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other.engine.blobs, "put", waiting)
        other.add("a", "Tea is at four.")
    assert started.wait(SOON)
    starting.join(SOON)
    assert library.texts("tea") == {"a": ["Tea is at four."]}
    assert wrong(library, other) == []


OLD, NEW = "Tea is at four.", "Tea is at five."


def found(library: Library) -> list[dict[str, list[str]]]:
    """What words and vectors find."""
    return [library.texts("tea", mode) for mode in (Mode.LEXICAL, Mode.DENSE)]


@pytest.mark.parametrize("leg", ["vectors", "lexical"])
def test_who_lost_its_hold_while_it_compares_takes_out_nothing(
    library: Library, other: Library, leg: str
) -> None:
    store = getattr(library.engine.stores, leg)(library.kb.generation.id)
    ids = store.ids

    def late() -> set[str]:
        end_sessions(other.engine.database)
        other.add("a", OLD)
        return set(ids())

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StoreUnavailable, match="lost"):
        patch.setattr(store, "ids", late)
        Consistency(library.engine.database, library.engine.stores).restore()
    assert found(library) == [{"a": [OLD]}] * 2
    assert wrong(library, other) == []


@pytest.fixture
def unswept(library: Library) -> Library:
    """The stores still have a version that was replaced."""
    library.add("a", OLD)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(removal, "sweep", lambda *_: None)
        library.add("a", NEW)
    return library


def test_who_lost_its_hold_before_it_mends_takes_out_nothing(
    unswept: Library, other: Library
) -> None:
    consistency = Consistency(unswept.engine.database, unswept.engine.stores)
    for held, kb in consistency.each():
        difference = consistency.difference(held, kb)
        assert difference.extra_vectors
        end_sessions(other.engine.database)
        other.add("a", OLD)
        with pytest.raises(StoreUnavailable, match="lost"):
            consistency.mend(held, kb, difference)
    assert found(unswept) == [{"a": [OLD]}] * 2
    assert wrong(unswept, other) == []


def delete_late(patch: pytest.MonkeyPatch, library: Library, other: Library) -> None:
    """Who deletes vectors loses its hold by then, and what had them is published again."""
    store = library.engine.stores.vectors(library.kb.generation.id)
    delete = store.delete

    def late(ids: Sequence[str]) -> None:
        patch.undo()
        delete(ids)
        end_sessions(other.engine.database)
        other.add("a", OLD)

    patch.setattr(store, "delete", late)


def test_who_lost_its_hold_while_it_mends_takes_out_nothing_more(
    unswept: Library, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete_late(monkeypatch, unswept, other)
    with pytest.raises(StoreUnavailable, match="lost"):
        Consistency(unswept.engine.database, unswept.engine.stores).restore()
    assert found(unswept) == [{"a": [OLD]}] * 2
    assert wrong(unswept, other) == []


def test_who_lost_its_hold_before_it_sweeps_leaves_what_came_back(
    library: Library, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add("a", OLD)
    sweep = removal.sweep

    def late(*given: Any) -> None:
        if given[-1]:
            monkeypatch.undo()
            end_sessions(other.engine.database)
            other.add("a", OLD)
        sweep(*given)

    monkeypatch.setattr(removal, "sweep", late)
    library.add("a", NEW)
    assert found(library) == [{"a": [OLD]}] * 2
    assert wrong(library, other) == []


def test_who_lost_its_hold_while_it_sweeps_leaves_what_came_back(
    library: Library, other: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = library.add("a", OLD).document_id
    delete_late(monkeypatch, library, other)
    library.indexer.remove(library.kb, document)
    library.indexer.settle()
    assert found(library) == [{"a": [OLD]}] * 2
    assert wrong(library, other) == []
