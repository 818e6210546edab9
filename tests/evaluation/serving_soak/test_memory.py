"""Of made-up samples, one a second."""

import random

import pytest

from evaluation.serving_soak.memory import slope


def samples(first: float, a_minute: float, seconds: int) -> list[tuple[float, float]]:
    chance = random.Random(0)  # noqa: S311
    noise = (chance.gauss(0, 3) for _ in range(seconds))
    return [(at, first + a_minute * at / 60 + each) for at, each in enumerate(noise)]


@pytest.mark.parametrize("a_minute", [0.0, 30.0, -30.0])
def test_the_slope_is_found_within_its_interval(a_minute: float) -> None:
    found = slope(samples(400, a_minute, 200))
    assert found is not None
    assert found.low < a_minute < found.high
    assert found.high - found.low < 6
    assert found.low < found.value < found.high
    assert found.minutes == pytest.approx(200 / 60, rel=0.01)
    assert found.grows is (a_minute > 0)


def test_little_is_no_growth_and_much_is() -> None:
    little, much = slope(samples(1_000, 10, 200)), slope(samples(200, 10, 200))
    assert little is not None
    assert much is not None
    assert little.low > 0
    assert not little.grows
    assert much.grows


def test_few_samples_tell_nothing() -> None:
    assert slope(samples(400, 0, 29)) is None
    assert slope(samples(400, 0, 30)) is not None
    assert slope([]) is None
