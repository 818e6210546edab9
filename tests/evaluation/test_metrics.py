import math
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.metrics import auroc, ndcg, recall

DOCUMENTS = st.sampled_from("abcdefgh")
RANKINGS = st.lists(DOCUMENTS, unique=True, max_size=8)
GRADES = st.dictionaries(DOCUMENTS, st.integers(-1, 3), max_size=5)
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


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(RANKINGS, GRADES)
def test_recall_grows_with_k_up_to_all_that_was_found(
    ranking: list[str], grades: dict[str, int]
) -> None:
    shares = [recall(ranking, grades, k) for k in range(1, 10)]
    assert shares == sorted(shares)
    relevant = {document for document, grade in grades.items() if grade > 0}
    assert (shares[-1] == 1.0) == (bool(relevant) and relevant <= set(ranking))


@settings(max_examples=80, deadline=None)
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
