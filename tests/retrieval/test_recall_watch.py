import time
from collections.abc import Iterator

import pytest

from retrieval import recall_watch
from retrieval.engine import open_engine
from retrieval.search import Query
from retrieval.types import Mode
from tests.catalogues import engine_settings
from tests.retrieval.library import SOON, Library


class Forgetful:
    """A vector store whose index finds nothing but the nearest, unless it looks further."""

    def __init__(self, store: object, enough: int) -> None:
        self._store = store
        self._enough = enough
        self.asked_for: list[int] = []

    def query(self, vector: object, k: int) -> list[object]:
        self.asked_for.append(k)
        found: list[object] = self._store.query(vector, k)  # type: ignore[attr-defined]
        return found if k >= self._enough else found[:1]

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class Stores:
    def __init__(self, stores: object, enough: int) -> None:
        self._stores = stores
        self._enough = enough
        self.asked_for: list[int] = []

    def vectors(self, generation: str) -> Forgetful:
        store = Forgetful(self._stores.vectors(generation), self._enough)  # type: ignore[attr-defined]
        store.asked_for = self.asked_for
        return store

    def __getattr__(self, name: str) -> object:
        return getattr(self._stores, name)


@pytest.fixture
def library(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    monkeypatch.setattr(recall_watch, "_EVERY", 2)
    monkeypatch.setattr(recall_watch, "_WORK", 1e9)
    with open_engine(engine_settings(tmp_path_factory.mktemp("watched"))) as engine:
        library = Library(engine)
        for number in range(30):
            library.add(f"d{number}", f"# Harbour {number}\n\nDredged in {1900 + number}.")
        engine.residents.load(library.kb)
        yield library
        library.indexer.close()


def ask(library: Library, times: int, mode: Mode = Mode.HYBRID) -> None:
    for number in range(times):
        before = library.engine.watch.recall(library.kb).lookups
        library.hits(f"harbour {number}", mode)
        until = time.monotonic() + SOON
        while number % 2 == 0 and mode is not Mode.LEXICAL and time.monotonic() < until:
            if library.engine.watch.recall(library.kb).lookups > before:
                break
            time.sleep(0.001)


def test_an_index_that_finds_everything_is_left_alone(library: Library) -> None:
    ask(library, 60)
    found = library.engine.watch.recall(library.kb)
    assert (found.lookups, found.recall, found.reach) == (30, 1.0, 0)


def test_one_that_misses_chunks_looks_further(library: Library) -> None:
    stores = Stores(library.engine.stores, enough=1_600)
    library.engine.searcher._legs._stores = stores  # type: ignore[assignment]
    ask(library, 2)
    assert library.engine.watch.recall(library.kb).recall == pytest.approx(0.1)
    ask(library, 38)
    assert library.engine.watch.recall(library.kb).reach == 800
    ask(library, 40)
    assert library.engine.watch.recall(library.kb).reach == 1_600
    ask(library, 60)
    found = library.engine.watch.recall(library.kb)
    assert (found.recall, found.reach) == (1.0, 1_600)
    assert set(stores.asked_for) == {100, 800, 1_600}


def test_what_needs_no_index_says_nothing_of_it(library: Library) -> None:
    ask(library, 4, Mode.LEXICAL)
    library.engine.searcher.search(library.kb, Query("harbour", filter={"uri": "d1"}))
    assert library.engine.watch.recall(library.kb) == recall_watch.Recall(0, None, 0)


def test_lookups_take_a_share_of_the_time(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recall_watch, "_WORK", 1e-9)
    ask(library, 1)
    for number in range(20):
        library.hits(f"harbour {number}")
    assert library.engine.watch.recall(library.kb).lookups == 1


def test_equal_chunks_are_as_good_as_each_other(library: Library) -> None:
    for number in range(150):
        library.add(f"same{number}", "The very same words.")
    library.engine.residents.load(library.kb)
    for _ in range(8):
        library.hits("the very same words")
        time.sleep(0.02)
    found = library.engine.watch.recall(library.kb)
    assert found.lookups > 0
    assert found.recall == 1.0
