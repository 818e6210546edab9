from itertools import pairwise

import pytest

from evaluation.report.axes import Scale, short


@pytest.mark.parametrize(
    ("low", "high"),
    [(1.0, 1.0), (3.0, 7.0), (0.2, 950.0), (1_071.0, 2_672.0), (1e-3, 1e6), (99.9, 100.1)],
)
def test_a_logarithmic_scale_holds_its_values(low: float, high: float) -> None:
    scale = Scale.powers(low, high)
    assert scale.ticks[0] <= low * (1 + 1e-9)
    assert scale.ticks[-1] >= high * (1 - 1e-9)
    assert 2 <= len(scale.ticks) <= 11
    assert all(before < after for before, after in pairwise(scale.ticks))
    assert scale.across(scale.ticks[0]) < scale.across(scale.ticks[-1])
    assert scale.place(scale.ticks[0]) > scale.place(scale.ticks[-1])


def test_equal_ratios_are_equal_ways_on_a_logarithmic_scale() -> None:
    scale = Scale.powers(1.0, 1_000.0)
    ways = [scale.across(b) - scale.across(a) for a, b in pairwise((1.0, 10.0, 100.0, 1_000.0))]
    assert ways == pytest.approx([ways[0]] * 3)


def test_a_linear_scale_goes_across_too() -> None:
    scale = Scale((0.0, 0.5, 1.0))
    assert scale.across(0.5) == pytest.approx((scale.across(0.0) + scale.across(1.0)) / 2)


@pytest.mark.parametrize(
    ("high", "ticks"),
    [
        (5.0, [0, 1, 2, 3, 4, 5]),
        (926.0, [0, 200, 400, 600, 800, 1_000]),
        (0.3, [0, 0.1, 0.2, 0.3]),
        (1_500.0, [0, 500, 1_000, 1_500]),
    ],
)
def test_a_scale_from_zero_has_round_numbers(high: float, ticks: list[float]) -> None:
    assert Scale.from_zero(high).ticks == pytest.approx(ticks)


@pytest.mark.parametrize(("value", "told"), [(0.5, "0.5"), (20_000, "20k"), (2.5e6, "2.5M")])
def test_numbers_are_short(value: float, told: str) -> None:
    assert short(value) == told
