import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytrec_eval import RelevanceEvaluator

from evaluation.metrics import (
    auroc,
    average_precision,
    calibration_error,
    hit_rate,
    ndcg,
    precision,
    precision_at_coverage,
    recall,
    reciprocal_rank,
)
from evaluation.trec import ranked

Measure = Callable[[Sequence[str], Mapping[str, int]], float]
Qrels = dict[str, dict[str, int]]
Run = dict[str, dict[str, float]]

DOCUMENTS = st.sampled_from("abcdefgh")
RANKINGS = st.lists(DOCUMENTS, unique=True, max_size=8)
GRADES = st.dictionaries(DOCUMENTS, st.integers(-1, 3), max_size=5)
QUERIES = st.sampled_from(["q1", "q2", "q3"])
QRELS = st.dictionaries(
    QUERIES, st.dictionaries(DOCUMENTS, st.integers(-1, 3), min_size=1, max_size=6), min_size=1
)
RUNS = st.dictionaries(
    QUERIES,
    st.dictionaries(DOCUMENTS, st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=8),
)
CUTS = (1, 2, 5, 10, 100)
MEASURES: dict[str, Measure] = {
    "map": average_precision,
    "recip_rank": reciprocal_rank,
    **{f"ndcg_cut_{k}": partial(ndcg, k=k) for k in CUTS},
    **{f"recall_{k}": partial(recall, k=k) for k in CUTS},
    **{f"P_{k}": partial(precision, k=k) for k in CUTS},
    **{f"success_{k}": partial(hit_rate, k=k) for k in CUTS},
    **{f"map_cut_{k}": partial(average_precision, k=k) for k in CUTS},
}
"""By the names that trec_eval has for them."""
SCORES = st.lists(st.sampled_from([-1.5, 0.0, 0.5, 1.0, 7.0]), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("ranking", "grades", "k", "expected"),
    [
        (["a", "b", "c"], {"a": 1}, 10, 1.0),
        (["b", "a", "c"], {"a": 1}, 10, 1 / math.log2(3)),
        (["b", "c", "a"], {"a": 1}, 10, 0.5),
        (["b", "c", "a"], {"a": 1}, 2, 0.0),
        (["b", "a"], {"a": 2, "b": 1}, 10, (1 + 2 / math.log2(3)) / (2 + 1 / math.log2(3))),
        (["a"], {"a": 1, "b": 1}, 10, 1 / (1 + 1 / math.log2(3))),
        (["a"], {"a": 1, "b": 1}, 1, 1.0),
        (["a"], {"a": 1, "b": -1}, 10, 1.0),
        (["b", "a"], {"a": 1, "b": -1}, 10, 1 / math.log2(3)),
        (["a"], {"a": 0}, 10, 0.0),
        (["a"], {}, 10, 0.0),
        ([], {"a": 1}, 10, 0.0),
    ],
)
def test_ndcg_by_hand(ranking: list[str], grades: dict[str, int], k: int, expected: float) -> None:
    assert ndcg(ranking, grades, k) == pytest.approx(expected)


@settings(max_examples=60)
@given(RANKINGS, GRADES, st.integers(1, 8))
def test_ndcg_is_a_share_of_what_the_best_ranking_gains(
    ranking: list[str], grades: dict[str, int], k: int
) -> None:
    def gain(order: tuple[str, ...]) -> float:
        return sum(max(grades[d], 0) / math.log2(2 + at) for at, d in enumerate(order[:k]))

    best = max(map(gain, permutations(grades)))
    got = sum(max(grades.get(d, 0), 0) / math.log2(2 + at) for at, d in enumerate(ranking[:k]))
    expected = got / best if best else 0.0
    assert ndcg(ranking, grades, k) == pytest.approx(expected)
    assert 0.0 <= ndcg(ranking, grades, k) <= 1.0 + 1e-12


@pytest.mark.parametrize(
    ("ranking", "grades", "k", "expected"),
    [
        (["a", "b", "c"], {"a": 1, "c": 2, "x": 1}, 3, 2 / 3),
        (["a", "b", "c"], {"a": 1, "c": 2}, 2, 0.5),
        (["a"], {"a": 0, "b": -1}, 10, 0.0),
        ([], {"a": 1}, 10, 0.0),
    ],
)
def test_recall_by_hand(
    ranking: list[str], grades: dict[str, int], k: int, expected: float
) -> None:
    assert recall(ranking, grades, k) == pytest.approx(expected)


@settings(max_examples=60)
@given(RANKINGS, GRADES)
def test_recall_grows_with_k_up_to_all_that_was_found(
    ranking: list[str], grades: dict[str, int]
) -> None:
    shares = [recall(ranking, grades, k) for k in range(1, 10)]
    assert shares == sorted(shares)
    relevant = {document for document, grade in grades.items() if grade > 0}
    assert (shares[-1] == 1.0) == (bool(relevant) and relevant <= set(ranking))


@pytest.mark.parametrize(
    ("ranking", "grades", "k", "expected"),
    [
        (["a", "b", "c"], {"a": 1, "c": 2, "x": 1}, 3, (2 / 3, 1.0, 1.0, (1 + 2 / 3) / 3)),
        (["b", "a", "c"], {"a": 1, "c": 2}, 2, (0.5, 1.0, 0.5, 0.5 / 2)),
        (["b", "a", "c"], {"a": 1, "c": 2}, 1, (0.0, 0.0, 0.0, 0.0)),
        (["a"], {"a": 1}, 10, (0.1, 1.0, 1.0, 1.0)),
        (["a", "b"], {"a": 0, "b": -1}, 2, (0.0, 0.0, 0.0, 0.0)),
        (["a"], {}, 2, (0.0, 0.0, 0.0, 0.0)),
        ([], {"a": 1}, 2, (0.0, 0.0, 0.0, 0.0)),
    ],
)
def test_precision_hit_rate_reciprocal_rank_and_average_precision_by_hand(
    ranking: list[str], grades: dict[str, int], k: int, expected: tuple[float, ...]
) -> None:
    measures = (precision, hit_rate, reciprocal_rank, average_precision)
    assert [measure(ranking, grades, k) for measure in measures] == pytest.approx(expected)


def test_without_k_the_whole_ranking_counts() -> None:
    ranking = [*map(str, range(1999)), "a", "b"]
    assert reciprocal_rank(ranking, {"a": 1}) == 1 / 2000
    assert average_precision(ranking, {"a": 1, "b": 1}) == (1 / 2000 + 2 / 2001) / 2


def test_a_document_that_a_ranking_repeats() -> None:
    ranking, grades = ["a", "a"], {"a": 1}
    assert recall(ranking, grades, 2) == hit_rate(ranking, grades, 2) == 1.0
    assert reciprocal_rank(ranking, grades) == precision(ranking, grades, 2) == 1.0
    assert average_precision(ranking, grades) == 2.0
    assert ndcg(ranking, grades, 2) > 1.0


def assert_as_trec_eval(qrels: Qrels, run: Run) -> None:
    """Each measure of each query; one without a ranking counts 0, which trec_eval leaves out."""
    theirs = RelevanceEvaluator(qrels, set(MEASURES)).evaluate(run)
    assert theirs.keys() == qrels.keys() & run.keys()
    for query, grades in qrels.items():
        ranking = ranked(run.get(query, {}))
        ours = {name: measure(ranking, grades) for name, measure in MEASURES.items()}
        expected = theirs.get(query, dict.fromkeys(MEASURES, 0.0))
        assert ours == pytest.approx(expected, rel=0, abs=1e-9)


@settings(max_examples=100)
@given(QRELS, RUNS)
def test_small_runs_with_ties_are_scored_as_by_trec_eval(qrels: Qrels, run: Run) -> None:
    assert_as_trec_eval(qrels, run)


def test_a_large_run_with_ties_is_scored_as_by_trec_eval() -> None:
    chance = random.Random(7)  # noqa: S311
    documents = [f"d{number}" for number in range(400)]
    qrels, run = {}, {}
    for query in range(30):
        judged = chance.sample(documents, 60)
        qrels[f"q{query}"] = {document: chance.choice((-1, 0, 1, 2, 4)) for document in judged}
        found = chance.sample(documents, chance.randrange(5, 300))
        run[f"q{query + 3}"] = {document: chance.randrange(50) / 4 for document in found}
    assert_as_trec_eval(qrels, run)


@settings(max_examples=50)
@given(QRELS, RUNS, st.integers(1, 8))
def test_a_reciprocal_rank_at_k_is_that_of_a_run_that_ends_there(
    qrels: Qrels, run: Run, k: int
) -> None:
    """trec_eval has no cut for this one."""
    ended = {query: {d: scores[d] for d in ranked(scores)[:k]} for query, scores in run.items()}
    theirs = RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(ended)
    for query, measured in theirs.items():
        ours = reciprocal_rank(ranked(run[query]), qrels[query], k)
        assert ours == pytest.approx(measured["recip_rank"], rel=0, abs=1e-9)


@settings(max_examples=80)
@given(SCORES, SCORES)
def test_auroc_counts_the_pairs_that_are_in_order(
    positive: list[float], negative: list[float]
) -> None:
    wins = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    assert auroc(positive, negative) == pytest.approx(wins / (len(positive) * len(negative)))


@pytest.mark.parametrize(("positive", "negative"), [([], [1.0]), ([1.0], []), ([], [])])
def test_auroc_needs_both_kinds(positive: list[float], negative: list[float]) -> None:
    with pytest.raises(ValueError, match="positives and negatives"):
        auroc(positive, negative)


def test_the_calibration_error_by_hand() -> None:
    chances, truths = [0.05, 0.05, 0.95, 0.95], [False, True, True, True]
    assert calibration_error(chances, truths) == pytest.approx((2 * 0.45 + 2 * 0.05) / 4)
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert calibration_error([1.0, 0.0], [False, True]) == 1.0
    assert calibration_error([], []) == 0.0


def test_precision_at_coverage_by_hand() -> None:
    chances, truths = [0.9, 0.8, 0.7, 0.1, 0.0], [True, False, True, True, False]
    assert precision_at_coverage(chances, truths, 0.2) == 1.0
    assert precision_at_coverage(chances, truths, 0.6) == pytest.approx(2 / 3)
    assert precision_at_coverage(chances, truths, 1.0) == pytest.approx(3 / 5)
