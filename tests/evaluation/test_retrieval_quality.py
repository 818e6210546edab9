import math
from pathlib import Path

import pytest

from evaluation.beir import read_beir
from evaluation.indexing import indexed
from evaluation.retrieval_quality import Score, documents_of, measure
from retrieval.types import Chunk, Hit, Mode
from tests.evaluation.sets import entry, write_set


def hit(uri: str, ordinal: int = 0) -> Hit:
    chunk = Chunk(f"{uri}-{ordinal}", uri, "v", ordinal, 0, 1, (), "", 3)
    return Hit(chunk, uri, uri, "x", None, 1.0, ordinal + 1, ())


def test_documents_come_in_the_order_of_their_best_chunk() -> None:
    hits = [hit("b"), hit("a"), hit("b", 1), hit("q"), hit("c"), hit("a", 1)]
    assert documents_of(hits, "q", {"a": 1}) == ["b", "a", "c"]
    assert documents_of(hits, "q", {"q": 1}) == ["b", "a", "q", "c"]
    assert documents_of(hits, "x", {}) == ["b", "a", "q", "c"]
    assert documents_of([], "q", {}) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two queries: one finds its document first, one finds it second, behind the query's own."""
    corpus = [
        entry("zebra", "Zebras are striped animals."),
        entry("lion", "Lions roar at night."),
        entry("退货", "退货需要在七天内提出。"),
        entry("q2", "退货需要几天"),
    ]
    queries = [entry("q1", "zebras striped animals"), entry("q2", "退货需要几天")]
    return write_set(tmp_path, corpus, queries, "q1\tzebra\t1\nq1\tgone\t1\nq2\t退货\t2\n")


def test_each_mode_is_scored_over_all_queries(folder: Path) -> None:
    dataset = read_beir(folder)
    told: list[int] = []
    with indexed(dataset.corpus, "hashing", lambda _: None) as (engine, kb):
        scores = measure(engine, kb, dataset, told.append)
    first = 1 / (1 + 1 / math.log2(3))  # the other relevant document isn't in the corpus
    expected = ((first + 1) / 2, 0.75, 0.75)
    assert [score.mode for score in scores] == [Mode.DENSE, Mode.LEXICAL, Mode.HYBRID]
    for score in scores:
        assert (score.ndcg_10, score.recall_10, score.recall_100) == pytest.approx(expected)
    assert told == list(range(1, 7))


def test_what_stands_after_the_tenth_counts_for_the_longer_recall_only(tmp_path: Path) -> None:
    filler = [entry(f"{n}", "zebra zebra") for n in range(10)]
    corpus = [*filler, entry("wanted", "zebra " + "other words follow here " * 5)]
    folder = write_set(tmp_path, corpus, [entry("q", "zebra")], "q\twanted\t1\n")
    dataset = read_beir(folder)
    with indexed(dataset.corpus, "hashing", lambda _: None) as (engine, kb):
        scores = measure(engine, kb, dataset, lambda _: None)
    assert scores == [
        Score(mode, 0.0, 0.0, 1.0) for mode in (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID)
    ]
