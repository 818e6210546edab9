from hypothesis import given
from hypothesis import strategies as st

from retrieval.fusion import convex

KEYS = st.sampled_from("abcdef")
COSINES = st.dictionaries(KEYS, st.floats(-1, 1))
SCORES = st.just(0.0) | st.floats(1e-6, 50)  # halving a subnormal would lose it
BM25 = st.dictionaries(KEYS, SCORES)
WEIGHTS = st.floats(0, 1)


def test_a_worked_example() -> None:
    fused = convex({"a": 0.8, "b": 0.4}, {"b": 6.0, "c": 3.0}, 0.5)
    assert fused == {"a": 0.4, "b": 0.7, "c": 0.25}


@given(COSINES, BM25, WEIGHTS)
def test_every_candidate_has_a_score_within_bounds(
    dense: dict[str, float], lexical: dict[str, float], weight: float
) -> None:
    fused = convex(dense, lexical, weight)
    assert fused.keys() == dense.keys() | lexical.keys()
    assert all(-weight <= score <= 1 + 1e-9 for score in fused.values())


@given(COSINES, BM25, WEIGHTS, st.floats(0.5, 8))
def test_the_unit_of_bm25_does_not_matter(
    dense: dict[str, float], lexical: dict[str, float], weight: float, unit: float
) -> None:
    one = convex(dense, lexical, weight)
    other = convex(dense, {key: unit * score for key, score in lexical.items()}, weight)
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
