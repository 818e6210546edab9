"""Generations side by side: readers see one of them, and nothing of another."""

from typing import Any

import pytest

from ingest.reindexing import Reindexing
from ingest.types import Source
from retrieval.answering import Question
from retrieval.embedding.hashing import HashingBackend
from retrieval.errors import InvalidRequest, Superseded
from retrieval.generations import Generations, State
from retrieval.schema import chunks
from retrieval.search import Query, Ranked
from retrieval.types import Chunking, KnowledgeBase, Mode
from tests.conftest import OpenEngine
from tests.ingest.workshop import Workshop, note

LONG = "\n\n".join(f"Sentence {n} speaks of zebra{n} and of lion{n * 7}." for n in range(60))
SMALL = Chunking(64, 8)


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    shop = Workshop(open_test_engine)
    shop.ingest(note("a", LONG))
    shop.ingest(note("b", "Tiger here."))
    return shop


@pytest.fixture
def reindexing(shop: Workshop) -> Reindexing:
    return Reindexing(shop.engine)


def quietly(_done: int, _total: int) -> None:
    pass


def ids(shop: Workshop, kb: KnowledgeBase, text: str = "zebra7 lion49 tiger") -> list[str]:
    found = shop.engine.searcher.search(kb, Query(text, 50)).hits
    return [hit.chunk.id for hit in found]


def live(shop: Workshop) -> KnowledgeBase:
    return shop.engine.open("docs")


def test_another_chunking_is_built_beside_and_switched_to(
    shop: Workshop, reindexing: Reindexing
) -> None:
    before, kb = ids(shop, shop.kb), shop.kb
    target = reindexing.begin(kb, chunking=SMALL)
    seen: list[tuple[int, int]] = []
    reindexing.build(target, lambda *step: seen.append(step))
    assert (seen[0], seen[-1]) == ((0, 2), (2, 2))
    assert ids(shop, live(shop)) == before
    reindexing.switch(target, quietly)
    now = live(shop)
    assert now.settings.chunking == SMALL
    assert not set(ids(shop, now)) & set(before)
    documents, count = shop.engine.knowledge_bases.counts(now)
    assert (documents, count) == (2, shop.engine.stores.vectors(now.generation.id).count())
    assert count == shop.engine.stores.lexical(now.generation.id).count() > 10


def test_going_back_is_instant_and_finds_the_same(shop: Workshop, reindexing: Reindexing) -> None:
    before = ids(shop, shop.kb)
    reindexing.switch(reindexing.begin(shop.kb, chunking=SMALL), quietly)
    small = ids(shop, live(shop))
    embedded = len(shop.backend.embedded)
    assert reindexing.roll_back(live(shop), quietly).generation == shop.kb.generation
    assert ids(shop, live(shop)) == before
    reindexing.roll_back(live(shop), quietly)
    assert ids(shop, live(shop)) == small
    assert shop.backend.embedded[embedded:] == []


def test_going_back_catches_up_with_what_changed(shop: Workshop, reindexing: Reindexing) -> None:
    reindexing.switch(reindexing.begin(shop.kb, chunking=SMALL), quietly)
    shop.kb = live(shop)
    shop.ingest(note("b", "Panther here."))
    shop.ingest(note("c", "Leopard here."))
    shop.engine.indexer.remove(shop.kb, shop.ingest(note("d", "Lynx.")).document_id)
    back = reindexing.roll_back(shop.kb, quietly)
    shop.kb = back
    assert (shop.found("tiger"), shop.found("panther"), shop.found("leopard")) == ([], ["b"], ["c"])
    assert shop.engine.knowledge_bases.counts(back)[0] == 3


def test_what_is_published_while_it_is_built_is_in_both(
    shop: Workshop, reindexing: Reindexing
) -> None:
    target = reindexing.begin(shop.kb, chunking=SMALL)
    reindexing.build(target, quietly)
    shop.ingest(note("c", "Leopard here."))
    assert len(Generations(shop.engine.database).pending(target)) == 1
    with pytest.raises(Superseded, match="1 documents"):
        Generations(shop.engine.database).make_live(target)
    reindexing.switch(target, quietly)
    shop.kb = live(shop)
    assert shop.found("leopard") == ["c"]


def test_who_asked_before_readers_were_switched_finds_what_was_published_since(
    shop: Workshop, reindexing: Reindexing
) -> None:
    asked = shop.kb
    reindexing.switch(reindexing.begin(asked, chunking=SMALL), quietly)
    shop.kb = live(shop)
    shop.ingest(note("b", "Panther here."))
    query = Query("panther zebra7", 50)
    found = shop.engine.searcher.search(asked, query)
    assert found.kb.generation == shop.kb.generation
    assert {hit.uri for hit in found.hits} == {"a", "b"}
    assert found.hits == shop.engine.searcher.search(shop.kb, query).hits


def test_who_asked_of_a_generation_that_is_gone_finds_what_there_is(
    shop: Workshop, reindexing: Reindexing
) -> None:
    asked = shop.kb
    for chunking in (SMALL, Chunking(48, 8)):
        reindexing.switch(reindexing.begin(live(shop), chunking=chunking), quietly)
    assert asked.generation.id not in shop.engine.stores.generations()
    assert ids(shop, asked) == ids(shop, live(shop)) != []


def test_a_generation_goes_while_it_is_searched(
    shop: Workshop, reindexing: Reindexing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, rank, seen = shop.kb, shop.engine.searcher.rank, list[KnowledgeBase]()

    def late(kb: KnowledgeBase, *args: Any) -> Ranked:
        seen.append(kb)
        if len(seen) == 1:
            for chunking in (SMALL, Chunking(48, 8)):
                reindexing.switch(reindexing.begin(live(shop), chunking=chunking), quietly)
        return rank(kb, *args)

    monkeypatch.setattr(shop.engine.searcher, "rank", late)
    assert {hit.uri for hit in shop.engine.searcher.search(asked, Query("zebra7 tiger")).hits} == {
        "a",
        "b",
    }
    assert [kb.generation for kb in seen] == [asked.generation, live(shop).generation]


def test_one_that_is_not_live_is_searched_where_it_is_wanted(
    shop: Workshop, reindexing: Reindexing
) -> None:
    target = reindexing.begin(shop.kb, chunking=SMALL)
    reindexing.build(target, quietly)
    query = Query("zebra7 tiger", 50)
    pinned = shop.engine.searcher.search(target, query, pinned=True)
    assert pinned.kb == target
    found = shop.engine.searcher.search(target, query)
    assert found.kb == shop.kb
    assert len(pinned.hits) > len(found.hits)


def test_an_answer_rests_on_the_generation_that_was_searched(
    shop: Workshop, reindexing: Reindexing
) -> None:
    asked = shop.kb
    for chunking in (SMALL, Chunking(48, 8)):
        reindexing.switch(reindexing.begin(live(shop), chunking=chunking), quietly)
    question = Question("Of which lion does sentence 7 speak?")
    basis = shop.engine.answering.basis(asked, question)
    assert basis.kb.generation == live(shop).generation
    assert basis.draft == shop.engine.answering.basis(live(shop), question).draft


def test_a_version_that_was_cut_for_the_old_generation_is_not_published_into_it(
    shop: Workshop, reindexing: Reindexing
) -> None:
    old = shop.kb
    reindexing.switch(reindexing.begin(shop.kb, chunking=SMALL), quietly)
    with pytest.raises(Superseded, match="send it again"):
        shop.pipeline().ingest(old, Source("x", "x", b"Late."), lambda *_: None)
    shop.kb = live(shop)
    assert shop.found("late") == []


def test_what_was_begun_is_taken_up_again(open_test_engine: OpenEngine) -> None:
    shop = Workshop(open_test_engine)
    shop.ingest(note("a", LONG))
    shop.ingest(note("b", "Tiger here."))

    class Enough(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done:
            raise Enough

    reindexing = Reindexing(shop.engine)
    target = reindexing.begin(shop.kb, chunking=SMALL)
    with pytest.raises(Enough):
        reindexing.build(target, stop)
    again = Workshop(open_test_engine)
    [unfinished] = Generations(again.engine.database).unfinished()
    assert unfinished.generation == target.generation
    assert len(Generations(again.engine.database).pending(unfinished)) == 1
    Reindexing(again.engine).switch(unfinished, quietly)
    assert again.engine.open("docs").generation == target.generation
    assert len(ids(again, again.engine.open("docs"))) > 5


def test_what_is_not_live_can_be_forgotten_entirely(shop: Workshop, reindexing: Reindexing) -> None:
    target = reindexing.begin(shop.kb, chunking=SMALL)
    reindexing.build(target, quietly)
    reindexing.refuse(target)
    assert Generations(shop.engine.database).state(target) is State.REFUSED
    with pytest.raises(InvalidRequest, match="kept"):
        reindexing.roll_back(shop.kb, quietly)
    before = ids(shop, shop.kb)
    assert reindexing.discard(shop.kb) == 1
    assert target.generation.id not in shop.engine.stores.generations()
    with shop.engine.database.read() as connection:
        left = connection.execute(
            chunks.select().where(chunks.c.generation_id == target.generation.id)
        ).all()
    assert (left, ids(shop, shop.kb)) == ([], before)


def test_only_the_last_generation_is_kept(shop: Workshop, reindexing: Reindexing) -> None:
    for tokens in (64, 48, 40):
        reindexing.switch(reindexing.begin(live(shop), chunking=Chunking(tokens, 8)), quietly)
    found = shop.engine.knowledge_bases.generations(shop.kb)
    assert [kb.generation.chunker.split(":")[1] for kb in found] == ["48", "40"]
    assert shop.engine.stores.generations() == {kb.generation.id for kb in found}


def test_the_same_again_is_refused(shop: Workshop, reindexing: Reindexing) -> None:
    with pytest.raises(InvalidRequest, match="already"):
        reindexing.begin(shop.kb)
    with pytest.raises(InvalidRequest, match=r"chunking\.tokens"):
        reindexing.begin(shop.kb, chunking=Chunking(5))


def test_a_deleted_document_leaves_every_generation(shop: Workshop, reindexing: Reindexing) -> None:
    target = reindexing.begin(shop.kb, chunking=SMALL)
    reindexing.build(target, quietly)
    for summary in shop.engine.documents.list(shop.kb, 10):
        shop.engine.indexer.remove(shop.kb, summary.id)
    shop.engine.indexer.settle()
    for kb in (shop.kb, target):
        assert shop.engine.stores.vectors(kb.generation.id).ids() == set()
        assert shop.engine.stores.lexical(kb.generation.id).ids() == set()
    with shop.engine.database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from embeddings").scalar() == 0


def test_each_knowledge_base_is_searched_with_its_own_model(open_test_engine: OpenEngine) -> None:
    shop = Workshop(open_test_engine)
    shop.ingest(note("a", "Zebra here."))

    class Other(HashingBackend):
        def __init__(self) -> None:
            super().__init__(dimension=32)
            identity = self.identity.to_json() | {"name": "other"}
            self.identity = type(self.identity).from_json(identity)

    engine = open_test_engine(Other())
    other, _ = engine.create("others")
    assert other.generation.model.name == "other"
    hits = engine.searcher.search(engine.open("docs"), Query("zebra", mode=Mode.DENSE)).hits
    assert [hit.uri for hit in hits] == ["a"]
    assert engine.embedders.of(engine.open("docs")).identity.dimension == 256
    assert engine.embedders.of(other).identity.dimension == 32
