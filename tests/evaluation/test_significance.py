import math
import tracemalloc
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.significance import Interval, Median, chance_of_loss, holm, interval, median, paired

MEASURED = st.sampled_from([0.0, 0.25, 0.5, 1 / 3, 0.9, 1.0]) | st.floats(0.0, 1.0)


def normal(count: int, mean: float = 0.5) -> list[float]:
    found: list[float] = np.random.default_rng(3).normal(mean, 0.2, count).tolist()
    return found


def test_the_interval_of_many_values_is_that_of_the_normal_law() -> None:
    values = normal(500)
    found = interval(values)
    error = float(np.std(values)) / math.sqrt(500)
    assert found.mean == pytest.approx(np.mean(values))
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.1 * error)
    wider = interval(values, level=0.99)
    assert wider.high - wider.low == pytest.approx(2 * 2.576 * error, rel=0.05)


def test_the_interval_leans_to_where_the_values_lie_far_out() -> None:
    """Further than by the percentiles of the samples alone, whose sides are as 5 to 4 at most."""
    found = interval([0.0] * 45 + [1.0] * 5)
    assert found.high - found.mean > 1.5 * (found.mean - found.low) > 0.0


@pytest.mark.parametrize("values", [[0.7], [0.3] * 6, [0.1 + 0.2, 0.3, 0.3], [0.0] * 4, [1.0]])
def test_values_that_are_the_same_are_not_taken_for_certain(values: list[float]) -> None:
    found = interval(values)
    assert found.mean == pytest.approx(values[-1])
    assert 0.0 <= found.low <= found.mean <= found.high <= 1.0
    assert found.high - found.low > 0.2
    more = interval(values * 50)
    assert more.high - more.low < (found.high - found.low) / 2


@pytest.mark.parametrize(
    ("right", "count", "low", "high"), [(10, 10, 0.7225, 1.0), (0, 1, 0.0, 0.7935)]
)
def test_the_interval_of_answers_that_are_all_alike_is_wilsons(
    right: int, count: int, low: float, high: float
) -> None:
    """As R's prop.test(right, count, correct = FALSE) gives it."""
    found = interval([right / count] * count)
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_differences_that_are_the_same_have_no_spread() -> None:
    found = paired([0.5, 0.6], [0.2, 0.3]).interval
    assert found.low == found.high == pytest.approx(0.3)


@settings(max_examples=40)
@given(st.lists(MEASURED, min_size=1, max_size=12))
def test_an_interval_holds_the_mean_and_stays_among_measures(values: list[float]) -> None:
    found = interval(values)
    assert found.low <= found.mean + 1e-9
    assert found.mean <= found.high + 1e-9
    assert found.low >= -1e-9
    assert found.high <= 1 + 1e-9


def test_the_same_seed_gives_the_same_figures() -> None:
    a, b = normal(40), normal(40, 0.45)[::-1]
    assert interval(a) == interval(a) != interval(a, seed=1)
    assert paired(a, b) == paired(a, b)
    assert paired(a, b).p != paired(a, b, seed=1).p


@pytest.mark.parametrize(
    "differences",
    [
        [-1.0] * 4,
        [0.5, -0.25, 0.125, 0.75, 0.0, 0.0, 0.5, 1.0],
        [0.1, -0.1, 0.2, 0.3, -0.05, 0.4, 0.2],
        [-0.3, 0.1, -0.2, -0.7, -0.4, 0.05],
        [0.25, -0.25],
    ],
)
def test_p_is_the_share_of_all_signs_that_come_out_as_far(differences: list[float]) -> None:
    signs = list(product((-1, 1), repeat=len(differences)))
    sums = [sum(s * d for s, d in zip(row, differences, strict=True)) for row in signs]
    total = sum(differences)
    both = sum(abs(other) >= abs(total) - 1e-9 for other in sums) / len(sums)
    lower = sum(other <= total + 1e-9 for other in sums) / len(sums)
    found = paired(differences, [0.0] * len(differences))
    assert found.p == pytest.approx(both, abs=0.02)
    assert chance_of_loss(differences) == pytest.approx(lower, abs=0.02)


def test_a_difference_is_of_the_first_over_the_second() -> None:
    a, b = normal(60), [value - 0.1 for value in normal(60)]
    b[0] += 0.3
    found = paired(a, b)
    assert found.interval.mean == pytest.approx(0.1 - 0.3 / 60)
    assert 0.0 < found.interval.low < found.interval.mean < found.interval.high <= 0.1 + 1e-9
    assert found.p < 0.001
    other = paired(b, a)
    assert other.interval.mean == pytest.approx(-found.interval.mean)
    assert other.p == found.p


def test_two_systems_that_are_the_same_do_not_differ() -> None:
    values = normal(20)
    found = paired(values, values)
    assert (found.interval, found.p) == (Interval(0.0, 0.0, 0.0), 1.0)
    noise = [value + 1e-15 for value in values]
    assert paired(values, noise).p == 1.0
    assert chance_of_loss([0.0] * 5) == chance_of_loss([]) == 1.0


def test_there_must_be_values_and_a_pair_for_each() -> None:
    with pytest.raises(ValueError, match="needs values"):
        interval([])
    with pytest.raises(ValueError, match="needs values"):
        paired([], [])
    with pytest.raises(ValueError, match="shorter"):
        paired([0.1, 0.2], [0.1])


def test_samples_are_not_held_in_memory_all_at_once() -> None:
    values = normal(3_000)
    paired(values[:2], values[2:4])  # what is imported and made once
    tracemalloc.start()
    paired(values, values[::-1])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6  # all at once are 240


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.4]) == [0.8, 0.8]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


@settings(max_examples=60)
@given(st.lists(st.floats(0.0, 1.0) | st.sampled_from([0.01, 0.02]), min_size=1, max_size=6))
def test_holm_is_the_closure_of_bonferroni(p_values: list[float]) -> None:
    """A hypothesis falls if every set of hypotheses that it is in does (Marcus et al., 1976)."""
    every = range(len(p_values))
    sets = [set(s) for size in every for s in combinations(every, size + 1)]
    bonferroni = [(s, min(1.0, len(s) * min(p_values[i] for i in s))) for s in sets]
    expected = [max(p for s, p in bonferroni if i in s) for i in every]
    assert holm(p_values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("count", "rank"), [(1, 1), (5, 1), (6, 1), (8, 1), (9, 2), (12, 3), (20, 6), (100, 40)]
)
def test_the_bounds_of_a_median_are_values_of_the_table(count: int, rank: int) -> None:
    """Conover, "Practical Nonparametric Statistics", 1999, 3.2: ranks from the binomial law."""
    found = median([float(n) for n in range(count, 0, -1)])
    assert found == Median((count + 1) / 2, rank, count + 1 - rank)


def test_the_bounds_of_a_median_hold_it_as_often_as_they_should() -> None:
    chance = np.random.default_rng(0)
    trials = chance.lognormal(size=(2_000, 15))
    held = [found.low <= 1.0 <= found.high for found in map(median, trials.tolist())]
    assert 0.95 <= np.mean(held) < 0.985  # 0.965 by the law


def test_a_median_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="needs values"):
        median([])
