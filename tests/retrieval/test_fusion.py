import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion import Fusion, fuse, ranks

KEYS = st.sampled_from("abcdef")
COSINES = st.dictionaries(KEYS, st.floats(-1, 1))
SCORES = st.just(0.0) | st.floats(1e-6, 50)  # halving a subnormal would lose it
BM25 = st.dictionaries(KEYS, SCORES)
WEIGHTS = st.floats(0, 1)

DENSE = {"a": 0.8, "b": 0.4}
LEXICAL = {"b": 6.0, "c": 3.0}


@pytest.mark.parametrize(
    ("fusion", "expected"),
    [
        (Fusion.BACKGROUND, {"a": 0.4, "b": 0.7, "c": 0.25}),
        (Fusion.CONVEX, {"a": 0.4, "b": 0.7, "c": 0.25}),
        (Fusion.MIN_MAX, {"a": 0.5, "b": 0.5, "c": 0.0}),
        (
            Fusion.RECIPROCAL_RANKS,
            {"a": 0.5 / 61, "b": 0.5 / 62 + 0.5 / 61, "c": 0.5 / 62},
        ),
        # Each leg has two scores, one deviation above and below their mean.
        (
            Fusion.DISTRIBUTIONS,
            {"a": 0.5 * 4 / 6, "b": 0.5 * 2 / 6 + 0.5 * 4 / 6, "c": 0.5 * 2 / 6},
        ),
    ],
)
def test_worked_examples(fusion: Fusion, expected: dict[str, float]) -> None:
    fused = fuse(fusion, DENSE, LEXICAL, 0.5)
    assert fused.scores == pytest.approx(expected)
    assert (fused.dense.keys(), fused.lexical.keys()) == (DENSE.keys(), LEXICAL.keys())


def convex(dense: dict[str, float], lexical: dict[str, float], weight: float) -> dict[str, float]:
    return fuse(Fusion.CONVEX, dense, lexical, weight).scores


def test_equal_scores_rank_by_id() -> None:
    assert ranks({"b": 1.0, "c": 2.0, "a": 1.0}) == {"c": 1, "a": 2, "b": 3}


@pytest.mark.parametrize("fusion", list(Fusion))
@given(dense=COSINES, lexical=BM25, weight=WEIGHTS)
def test_every_candidate_has_a_score(
    fusion: Fusion, dense: dict[str, float], lexical: dict[str, float], weight: float
) -> None:
    fused = fuse(fusion, dense, lexical, weight).scores
    assert fused.keys() == dense.keys() | lexical.keys()
    assert all(-weight <= score <= 1 + 1e-9 for score in fused.values())


@pytest.mark.parametrize("fusion", list(Fusion))
@given(
    dense=COSINES, lexical=BM25, weight=WEIGHTS, unit=st.sampled_from([0.5, 2.0, 4.0])
)  # exact in binary: rounding makes ties of what had an order, and the other way round
def test_the_unit_of_bm25_does_not_matter(
    fusion: Fusion, dense: dict[str, float], lexical: dict[str, float], weight: float, unit: float
) -> None:
    one = fuse(fusion, dense, lexical, weight).scores
    other = fuse(fusion, dense, {key: unit * v for key, v in lexical.items()}, weight).scores
    assert all(abs(one[key] - other[key]) < 1e-6 for key in one)


@given(COSINES, BM25, WEIGHTS, KEYS)
def test_a_better_cosine_never_lowers_a_score(
    dense: dict[str, float], lexical: dict[str, float], weight: float, key: str
) -> None:
    better = {**dense, key: max(1.0, dense.get(key, 0.0))}
    before = convex({**dense, key: dense.get(key, 0.0)}, lexical, weight)
    assert convex(better, lexical, weight)[key] >= before[key]


@given(COSINES, BM25, WEIGHTS, KEYS, SCORES)
def test_a_better_bm25_never_lowers_a_score(
    dense: dict[str, float], lexical: dict[str, float], weight: float, key: str, more: float
) -> None:
    before = convex(dense, {**lexical, key: lexical.get(key, 0.0)}, weight)
    better = convex(dense, {**lexical, key: lexical.get(key, 0.0) + more}, weight)
    assert better[key] >= before[key] - 1e-9


@given(COSINES, BM25)
def test_the_ends_of_the_weight_are_the_legs(
    dense: dict[str, float], lexical: dict[str, float]
) -> None:
    by_dense, by_lexical = convex(dense, lexical, 1.0), convex(dense, lexical, 0.0)
    assert all(by_dense[key] == dense[key] for key in dense)
    highest = max(lexical.values(), default=0) or 1
    assert all(by_lexical[key] == lexical[key] / highest for key in lexical)
