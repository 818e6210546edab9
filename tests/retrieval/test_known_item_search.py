import pytest

from retrieval.analysis import analyse
from retrieval.known_items import known_items
from retrieval.types import Chunking, KnowledgeBaseSettings
from tests.conftest import OpenEngine
from tests.retrieval.test_calibrating import filled


def test_a_chunk_is_scored_by_its_rest_and_its_neighbours_are_out(
    open_test_engine: OpenEngine,
) -> None:
    engine = open_test_engine()
    kb = filled(engine, 30, KnowledgeBaseSettings(Chunking(64, 16)))
    items = known_items(engine.chunks, kb, 20)
    embedder = engine.embedders.of(kb)
    store = engine.stores.lexical(kb.generation.id)
    for one in engine.known_items.search(kb, items):
        chunk = one.item.origin.chunk
        near = engine.chunks.around(kb, chunk, 2)
        assert len(near) > 1
        for leg in (one.candidates.dense, one.candidates.lexical):
            assert near & leg.keys() == {chunk.id} == {one.target}
            assert len(leg) > 10
        [rest] = embedder.embed_documents([one.item.rest])
        cosine = float(one.asked.vector @ rest)
        assert one.candidates.dense[one.target] == pytest.approx(cosine, abs=1e-6)
        whole = dict(store.query(one.item.question, 100))[one.target]
        shared = set(analyse(one.item.question)) & set(analyse(one.item.rest))
        assert 0 < one.candidates.lexical[one.target] < whole
        assert shared


@pytest.mark.parametrize("seed", [1, 2, 4, 5, 77])
def test_another_seed_takes_other_sentences(open_test_engine: OpenEngine, seed: int) -> None:
    engine = open_test_engine()
    kb = filled(engine, 30)
    first, again, other = (known_items(engine.chunks, kb, 20, one) for one in (0, 0, seed))
    assert first == again
    assert [one.origin for one in first] == [one.origin for one in other]
    assert {one.question for one in first}.isdisjoint(one.question for one in other)
