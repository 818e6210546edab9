from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import pytest

from retrieval.explaining import Explainer
from retrieval.reranking import Reranking
from retrieval.search import Query, Searcher
from retrieval.types import Mode
from tests.conftest import OpenEngine
from tests.retrieval.library import Library


class Backwards:
    """Likes texts the better, the higher the number that they end with."""

    name = "backwards"
    batch = 4

    def __init__(self) -> None:
        self.seen: list[int] = []

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        assert query == "harbour dredged"
        self.seen.append(len(texts))
        return [float(text.rstrip(".").split()[-1]) for text in texts]

    def close(self) -> None:
        pass


def searcher_of(library: Library, reranker: Backwards, depth: int, seconds: float) -> Searcher:
    engine = library.engine
    found = engine.searcher
    return Searcher(
        engine.embedders,
        found._legs,
        engine.chunks,
        engine.knowledge_bases,
        engine.calibrations,
        Reranking(reranker, depth, seconds),
    )


@pytest.fixture
def library(open_test_engine: OpenEngine) -> Library:
    made = Library(open_test_engine())
    for number in range(20):
        made.add(f"d{number:02}", f"The harbour was dredged in year {number}.")
    return made


def test_the_best_candidates_are_ordered_anew(library: Library) -> None:
    plain = library.engine.searcher.search(library.kb, Query("harbour dredged", 20)).hits
    reranker = Backwards()
    searcher = searcher_of(library, reranker, depth=10, seconds=60)
    found = searcher.search(library.kb, Query("harbour dredged", 20))
    first = sorted((hit.uri for hit in plain[:10]), reverse=True)
    assert [hit.uri for hit in found.hits] == first + [hit.uri for hit in plain[10:]]
    assert [hit.rank for hit in found.hits] == list(range(1, 21))
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert [leg.name for leg in found.hits[0].legs] == ["dense", "lexical", "reranker"]
    assert [leg.name for leg in found.hits[-1].legs] == ["dense", "lexical"]
    assert found.weighing
    assert (found.weighing.reranker, found.weighing.reranked) == ("backwards", 10)
    assert "rerank" in found.timings
    assert reranker.seen == [4, 4, 2]


def test_it_sees_more_than_are_wanted(library: Library) -> None:
    searcher = searcher_of(library, Backwards(), depth=20, seconds=60)
    hits = searcher.search(library.kb, Query("harbour dredged", 3)).hits
    assert [hit.uri for hit in hits] == ["d19", "d18", "d17"]


def test_it_sees_as_many_as_it_is_told_to(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.search.POOL", 3)
    reranker = Backwards()
    searcher_of(library, reranker, 20, 60).search(library.kb, Query("harbour dredged", 2))
    assert sum(reranker.seen) == 20


def test_when_the_time_is_up_the_rest_stays_behind_in_its_order(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = library.engine.searcher.search(library.kb, Query("harbour dredged", 20)).hits
    clock = iter([0.0, 1.0, 3.0])
    monkeypatch.setattr("retrieval.reranking.time", SimpleNamespace(monotonic=lambda: next(clock)))
    searcher = searcher_of(library, Backwards(), depth=20, seconds=2.0)
    found = searcher.search(library.kb, Query("harbour dredged", 20))
    assert found.weighing
    assert found.weighing.reranked == 8
    first = sorted((hit.uri for hit in plain[:8]), reverse=True)
    assert [hit.uri for hit in found.hits] == first + [hit.uri for hit in plain[8:]]


def test_a_leg_alone_is_as_it_is(library: Library) -> None:
    reranker = Backwards()
    searcher = searcher_of(library, reranker, depth=20, seconds=60)
    for mode in (Mode.DENSE, Mode.LEXICAL):
        query = Query("harbour dredged", 5, mode)
        found, plain = (
            one.search(library.kb, query) for one in (searcher, library.engine.searcher)
        )
        assert replace(found, timings={}) == replace(plain, timings={})
    assert reranker.seen == []


def test_why_tells_of_what_the_reranker_did(library: Library) -> None:
    engine = library.engine
    searcher = searcher_of(library, Backwards(), depth=10, seconds=60)
    explainer = Explainer(
        searcher,
        searcher._legs,
        engine.chunks,
        engine.documents,
        engine.stores,
        engine.knowledge_bases,
        engine.calibrations,
    )
    query = Query("harbour dredged", 3)
    hits = searcher.search(library.kb, query).hits
    plain = engine.searcher.search(library.kb, Query("harbour dredged", 20)).hits
    first = explainer.why(library.kb, query, hits[0].chunk.document_id)
    assert (first.rank, first.reason) == (1, "It is hit 1 of 3.")
    seen, unseen = plain[:10], plain[-1]
    worst = min(seen, key=lambda hit: hit.uri)
    disliked = explainer.why(library.kb, query, worst.chunk.document_id)
    assert f"It is {worst.rank} of the candidates, of which the reranker saw 10" in disliked.reason
    assert "liked others better" in disliked.reason
    last = explainer.why(library.kb, query, unseen.chunk.document_id)
    assert "of which the reranker saw 10." in last.reason
