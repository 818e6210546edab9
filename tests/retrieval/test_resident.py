import time
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import true

from ingest.reindexing import Reindexing
from retrieval import legs as legs_module
from retrieval import resident
from retrieval.engine import Engine, open_engine
from retrieval.exact_vectors import CatalogueVectors, Scope
from retrieval.filters import condition
from retrieval.generations import Wish
from retrieval.legs import Asked
from retrieval.resident import Resident, Residents, bytes_of
from retrieval.search import Query
from retrieval.types import Chunking, KnowledgeBase, Mode, Vector
from tests.catalogues import engine_settings
from tests.retrieval.library import SOON, Library

WORDS = "zebra lion harbour 斑马 退货 dredged stripes warranty".split()


def text(number: int) -> str:
    words = [WORDS[(number * step) % len(WORDS)] for step in range(1, 4)]
    return "\n\n".join(f"# {word}\n\n{' '.join(words)} {number % 5}." for word in words)


@pytest.fixture
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with open_engine(engine_settings(tmp_path_factory.mktemp("resident"))) as engine:
        library = Library(engine)
        for number in range(12):
            library.add(f"d{number}", text(number), {"number": number})
        yield library
        library.indexer.close()


def at_hand(engine: Engine, kb: KnowledgeBase) -> Resident:
    engine.residents.load(kb)
    found = engine.residents.at(kb, engine.knowledge_bases.epoch(kb))
    assert found
    return found


def scope_of(library: Library, below: int) -> Scope:
    where = condition({"number": {"$lt": below}})
    return Scope(where, frozenset(library.engine.chunks.document_ids(library.kb, where)))


@pytest.mark.parametrize("block", [2, 7, 10_000])
@pytest.mark.parametrize("below", [0, 1, 6, 12])
@pytest.mark.parametrize("k", [1, 4, 100])
def test_memory_and_catalogue_say_the_same(
    library: Library, monkeypatch: pytest.MonkeyPatch, block: int, below: int, k: int
) -> None:
    monkeypatch.setattr(resident, "_BLOCK", block)
    engine, kb = library.engine, library.kb
    library.add("d3", text(30), {"number": 3})
    here, there = at_hand(engine, kb), CatalogueVectors(engine.chunks, kb)
    scope = scope_of(library, below)
    ids = sorted(key for keys, _ in engine.chunks.scan(kb, true()) for key in keys)
    for question in ("zebra stripes", "退货", "harbour 3"):
        vector = engine.embedder.embed_query(question)
        assert here.nearest(vector, scope, k) == there.nearest(vector, scope, k)
        assert here.cosines([*ids, "nobody"], vector) == there.cosines([*ids, "nobody"], vector)


def test_a_search_is_the_same_before_and_after(library: Library) -> None:
    engine, kb = library.engine, library.kb
    queries = [
        Query(words, 20, mode, filter_)
        for words in ("zebra stripes", "斑马 warranty")
        for mode in Mode
        for filter_ in ({}, {"number": {"$gte": 4}})
    ]
    fresh = Residents(engine.database, 0)
    engine.searcher._legs._residents = fresh
    before = [engine.searcher.search(kb, query).hits for query in queries]
    engine.searcher._legs._residents = engine.residents
    at_hand(engine, kb)
    assert [engine.searcher.search(kb, query).hits for query in queries] == before
    fresh.close()


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(-1, 9)), min_size=1, max_size=12))
def test_what_changes_is_followed(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, int]]
) -> None:
    with open_engine(engine_settings(tmp_path_factory.mktemp("changes"))) as engine:
        library = Library(engine)
        made: dict[str, str] = {}
        for uri, number in changes:
            if number >= 0:
                made[uri] = library.add(uri, text(number)).document_id
            elif uri in made:
                library.indexer.remove(library.kb, made.pop(uri))
            here = at_hand(engine, library.kb)
            vector = engine.embedder.embed_query("zebra")
            stored = {
                key: value
                for ids, vectors in engine.chunks.scan(library.kb, true())
                for key, value in zip(ids, vectors, strict=True)
            }
            found = here.cosines([*stored, "nobody"], vector)
            assert found.keys() == stored.keys()
            for key, cosine in found.items():
                assert cosine == pytest.approx(float(stored[key] @ vector), abs=1e-6)
        library.indexer.close()


def test_they_are_loaded_when_asked_again(library: Library) -> None:
    engine, kb = library.engine, library.kb
    epoch = engine.knowledge_bases.epoch(kb)
    asked_once = Residents(engine.database, 10**9)
    assert asked_once.at(kb, epoch) is None
    time.sleep(0.05)
    assert asked_once.at(kb, epoch) is None
    until = time.monotonic() + SOON
    while (found := asked_once.at(kb, epoch)) is None and time.monotonic() < until:
        time.sleep(0.01)
    assert found
    library.add("new", "# New\n\nSomething new.")
    assert asked_once.at(kb, engine.knowledge_bases.epoch(kb)) is None
    asked_once.close()


def test_those_that_were_asked_last_stay(library: Library) -> None:
    engine, kb = library.engine, library.kb
    other, _ = engine.create("other")
    pages = Library(engine, "other")
    for number in range(12):
        pages.add(f"d{number}", text(number))
    _, chunks = engine.knowledge_bases.counts(kb)
    one = chunks * bytes_of(kb.generation.model.dimension)
    for budget, kept in ((one - 1, (False, False)), (one, (False, True)), (2 * one, (True, True))):
        residents = Residents(engine.database, budget)
        residents.load(kb)
        residents.load(other)
        epochs = (engine.knowledge_bases.epoch(kb), engine.knowledge_bases.epoch(other))
        here = (residents.at(kb, epochs[0]), residents.at(other, epochs[1]))
        assert tuple(one is not None for one in here) == kept
        residents.close()
    pages.indexer.close()


def test_a_deleted_knowledge_base_leaves_memory(library: Library) -> None:
    engine, kb = library.engine, library.kb
    at_hand(engine, kb)
    other, _ = engine.create("other")
    engine.indexer.remove_knowledge_base(kb)
    engine.residents.load(other)
    assert list(engine.residents._entries) == [other.generation.id]


def test_rows_that_are_nobodys_are_given_back(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resident, "_SPARE", 8)
    engine, kb = library.engine, library.kb
    first = at_hand(engine, kb)
    for number in range(40):
        library.add("d0", text(number) + f"\n\n# {number}\n\nAnd {number}.")
        at_hand(engine, kb)
    last = at_hand(engine, kb)
    _, chunks = engine.knowledge_bases.counts(kb)
    assert last is not first
    assert last.size < 3 * (chunks + 8) * bytes_of(256)


def test_equal_texts_have_equal_cosines() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 384)).astype(np.float32)
    vectors[::7] = vectors[0]
    here = Resident(384)
    keys = [str(n) for n in range(300)]
    here.put("d", "v", keys, vectors)
    found = here.cosines(keys, rng.normal(size=384).astype(np.float32))
    assert len({found[key] for key in keys[::7]}) == 1


def test_a_generation_that_is_being_built_is_not_held(library: Library) -> None:
    engine, kb = library.engine, library.kb
    reindexing = Reindexing(engine)
    target = reindexing.begin(kb, None, Chunking(64, 8), Wish())
    engine.residents.load(target)
    assert engine.residents.at(target, engine.knowledge_bases.epoch(kb)) is None
    reindexing.build(target, lambda _done, _total: None)
    library.add("new", text(99), {"number": 99})
    engine.residents.load(target)
    reindexing.switch(target, lambda _done, _total: None)
    live = engine.open(kb.name)
    at_hand(engine, live)
    found = engine.searcher.search(live, Query("zebra stripes", 100)).hits
    assert {hit.uri for hit in found} == {f"d{number}" for number in range(12)} | {"new"}


def test_who_reads_while_it_changes_is_told(library: Library) -> None:
    engine, kb = library.engine, library.kb
    here = at_hand(engine, kb)
    epoch = engine.knowledge_bases.epoch(kb)
    legs = engine.searcher._legs
    asked = Asked("zebra", engine.embedder.embed_query("zebra"))
    assert not legs.candidates(kb, asked, None, 10, epoch).lost
    found = here.cosines

    def changed_meanwhile(ids: list[str], vector: Vector) -> dict[str, float]:
        here.epoch = -1
        return found(ids, vector)

    here.cosines = changed_meanwhile  # type: ignore[method-assign]
    assert legs.candidates(kb, asked, None, 10, epoch).lost


@pytest.mark.parametrize("below", [1, 6, 12])
def test_a_wide_filter_and_a_narrow_one_leave_the_same_words(
    library: Library, monkeypatch: pytest.MonkeyPatch, below: int
) -> None:
    engine, kb = library.engine, library.kb
    at_hand(engine, kb)
    query = Query("zebra stripes", 5, Mode.LEXICAL, {"number": {"$lt": below}})
    monkeypatch.setattr(legs_module, "POOL", 5)
    narrow = engine.searcher.search(kb, query).hits
    monkeypatch.setattr(legs_module, "_PER_HIT", 0)
    assert engine.searcher.search(kb, query).hits == narrow


def test_metadata_that_changes_is_seen_by_a_filter_at_once(library: Library) -> None:
    engine, kb = library.engine, library.kb
    query = Query("zebra", 100, filter={"number": 3})
    [uri] = {hit.uri for hit in engine.searcher.search(kb, query).hits}
    assert uri == "d3"
    document = engine.documents.named(kb, "d3")
    engine.indexer.describe(kb, document, {"number": 4})
    assert engine.searcher.search(kb, query).hits == ()
