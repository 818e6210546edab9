from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from sqlalchemy import true

from retrieval import exact_vectors
from retrieval.calibration import UNCALIBRATED
from retrieval.chunks import Chunks
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.tokens import TokenizedText
from retrieval.engine import open_engine
from retrieval.errors import InvalidRequest
from retrieval.fusion import Fusion, fuse
from retrieval.ports import Posting
from retrieval.search import Query
from retrieval.stores.exact_lexical import ExactLexicalStore
from retrieval.types import KnowledgeBaseSettings, Mode
from tests.catalogues import engine_settings
from tests.conftest import OpenEngine
from tests.retrieval.library import Library

WORDS = "zebra lion 斑马 退货 运费险 stripes 24 months warranty § 12.3 naïve GPT-4o".split()
QUERIES = ["zebra stripes", "退货运费险", "warranty of 24 months", "nothing of this", "§ 12.3"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Forty documents of three chunks; their words overlap, and some chunks are equal."""
    settings = engine_settings(tmp_path_factory.mktemp("filled"))
    with open_engine(settings) as engine:
        library = Library(engine)
        for number in range(40):
            words = [WORDS[(number * step + step) % len(WORDS)] for step in range(1, 5)]
            body = f"{' '.join(words)} {number % 7}."
            text = "\n\n".join(f"# {word}\n\n{body}" for word in words[:3])
            library.add(f"d{number:02}", text, {"number": number})
        yield library
        library.indexer.close()


def expected(
    library: Library, query: str, mode: Mode, kept: Mapping[str, Any] | None = None
) -> list[tuple[str, float]]:
    """All chunks with their scores by brute force, in the order of a perfect search."""
    engine, kb = library.engine, library.kb
    ids = [id_ for block, _ in Chunks(engine.database).scan(kb, true()) for id_ in block]
    passages = Chunks(engine.database).passages(kb, ids)
    live, vectors = Chunks(engine.database).vectors(kb, ids)
    cosines = dict(zip(live, (vectors @ engine.embedder.embed_query(query)).tolist(), strict=True))
    postings = ExactLexicalStore()
    for passage in passages.values():
        chunk, title = passage.chunk, passage.title
        above = chunk.heading if chunk.heading[0] == title else (title, *chunk.heading)
        text = f"{' > '.join(above)}\n{passage.text}"
        postings.upsert([Posting(chunk.id, chunk.document_id, text)])
    bm25 = dict(postings.query(query, len(ids)))
    scores = {
        Mode.DENSE: cosines,
        Mode.LEXICAL: bm25,
        Mode.HYBRID: fuse(Fusion.CONVEX, cosines, bm25, UNCALIBRATED).scores,
    }[mode]
    allowed = [key for key in scores if kept is None or passages[key].uri in kept]
    return [(key, scores[key]) for key in sorted(allowed, key=lambda key: (-scores[key], key))]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("query", QUERIES)
def test_hits_are_those_of_brute_force(filled: Library, query: str, mode: Mode) -> None:
    hits = filled.hits(query, mode, k=10)
    wanted = expected(filled, query, mode)[:10]
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in wanted], abs=1e-4)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    by_score = {round(score, 3) for _, score in wanted}
    if len(by_score) == len(wanted):
        assert [hit.chunk.id for hit in hits] == [key for key, _ in wanted]


@pytest.mark.parametrize("scan", [20_000, 5])
@pytest.mark.parametrize("kept", [0, 1, 3, 20, 40])
def test_a_filter_costs_no_recall(
    filled: Library, monkeypatch: pytest.MonkeyPatch, scan: int, kept: int
) -> None:
    monkeypatch.setattr(exact_vectors, "_SCANNED", scan)
    uris = {f"d{number:02}": None for number in range(kept)}
    query = Query("zebra 退货", 500, Mode.DENSE, {"number": {"$lt": kept}})
    hits = filled.engine.searcher.search(filled.kb, query).hits
    wanted = expected(filled, "zebra 退货", Mode.DENSE, uris)
    assert {hit.chunk.id for hit in hits} == {key for key, _ in wanted}
    assert [hit.score for hit in hits] == pytest.approx([score for _, score in wanted], abs=1e-5)


def test_the_same_question_gives_the_same_hits(filled: Library) -> None:
    first = [filled.hits(query) for query in QUERIES]
    with ThreadPoolExecutor(8) as pool:
        again = list(pool.map(filled.hits, QUERIES * 4))
    assert again == first * 4


def test_each_hit_says_what_each_leg_said_of_it(filled: Library) -> None:
    hits = filled.hits("zebra stripes", k=5)
    highest = max(leg.score for hit in hits for leg in hit.legs if leg.name == "lexical")
    for hit in hits:
        said = {leg.name: leg for leg in hit.legs}
        lexical = said["lexical"].score / highest if "lexical" in said else 0.0
        fused = UNCALIBRATED * said["dense"].score + (1 - UNCALIBRATED) * lexical
        assert hit.score == pytest.approx(fused)
        assert hit.score == pytest.approx(sum(leg.share for leg in hit.legs))
        assert all(leg.rank >= 1 for leg in hit.legs)


def test_k_may_exceed_what_there_is(filled: Library) -> None:
    assert len(filled.hits("zebra", Mode.DENSE, k=1_000)) == 120
    assert len(filled.hits("zebra", k=1_000)) == 120
    assert len(filled.hits("zebra", k=1)) == 1


def test_an_empty_knowledge_base_has_no_hits(library: Library) -> None:
    for mode in Mode:
        assert library.hits("anything", mode) == ()


def test_what_the_stores_still_hold_of_deleted_documents_is_not_returned(filled: Library) -> None:
    gone = filled.add("gone", "# zebra\n\nzebra zebra zebra.").document_id
    assert filled.hits("zebra")[0].uri == "gone"
    before = filled.stored()
    filled.faults.calls, filled.faults.fail_at = 0, 2  # the stores, not the catalogue
    filled.indexer.remove(filled.kb, gone)
    assert filled.stored()[0] == before[0]
    for mode in Mode:
        assert all(hit.uri != "gone" for hit in filled.hits("zebra", mode))
    assert len(filled.hits("zebra", k=10)) == 10


@pytest.mark.parametrize(
    ("text", "k", "said"),
    [
        ("", 10, "empty"),
        (" \n\u3000", 10, "empty"),
        ("x" * 20_001, 10, "20001"),
        ("x", 0, "k is 0"),
        ("x", 1_001, "k is 1001"),
        ("\ud800", 10, "Unicode"),
    ],
)
def test_queries_that_cannot_be_answered(text: str, k: int, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        Query(text, k)


@pytest.mark.parametrize("text", ["?", "!!! ...", "\0", "🙂", "x" * 20_000, "的", "\u200b."])
def test_odd_queries_are_answered(filled: Library, text: str) -> None:
    for mode in Mode:
        filled.hits(text, mode)


def test_timings_add_up(filled: Library) -> None:
    timings = filled.engine.searcher.search(filled.kb, Query("zebra")).timings
    assert timings["total"] == pytest.approx(timings["embed"] + timings["search"])


class Monoglot(HashingBackend):
    """Reads characters, and has those of ASCII alone in its vocabulary."""

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return [
            TokenizedText(
                text,
                2 + len(text),
                np.array([1, *map(ord, text), 2], np.int32),
                sum(not letter.isascii() for letter in text),
            )
            for text in texts
        ]


@pytest.mark.parametrize(
    ("text", "legible", "weight"),
    [("pump", 1.0, UNCALIBRATED), ("pu泵阀", 0.5, UNCALIBRATED / 2), ("泵阀", 0.0, 0.0)],
)
def test_the_dense_leg_has_as_much_to_say_as_the_model_reads_of_a_question(
    open_test_engine: OpenEngine, text: str, legible: float, weight: float
) -> None:
    engine = open_test_engine(Monoglot())
    kb, _ = engine.create("docs")
    found = engine.searcher.search(kb, Query(text)).weighing
    assert found
    assert (found.legible, found.weight) == (legible, weight)
    kb, _ = engine.create("docs", KnowledgeBaseSettings(dense_weight=0.8))
    found = engine.searcher.search(kb, Query(text)).weighing
    assert found
    assert (found.legible, found.weight) == (legible, 0.8)
