import random

import pytest

from api import rates
from api.rates import Rates
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_may_be_done_so_often_a_minute(clock: Clock) -> None:
    done = Rates(clock)
    assert [done.take("a", 3) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert done.take("a", 3) == pytest.approx(60.0)
    clock.now += 59.9
    assert done.take("a", 3) == pytest.approx(0.1)
    clock.now += 0.2
    assert [done.take("a", 3) > 0 for _ in range(4)] == [False, False, False, True]


def test_no_minute_has_more(clock: Clock) -> None:
    done, taken = Rates(clock), list[float]()
    chance = random.Random(7)  # noqa: S311
    for _ in range(2_000):
        if not done.take("a", 10):
            taken.append(clock.now)
        clock.now += chance.choice([0.0, 0.01, 1.0, 15.0])
    assert len(taken) > 100
    assert all(later - first >= 60.0 for first, later in zip(taken, taken[10:], strict=False))


def test_whoever_waits_as_long_as_is_said_may(clock: Clock) -> None:
    done = Rates(clock)
    for _ in range(50):
        while wait := done.take("a", 5):
            clock.now += wait
        clock.now += 1.0


def test_a_rate_that_was_lowered_counts_at_once(clock: Clock) -> None:
    done = Rates(clock)
    for _ in range(10):
        done.take("a", 10)
        clock.now += 1.0
    assert done.take("a", 2) == pytest.approx(58.0)


def test_each_name_has_its_own(clock: Clock) -> None:
    done = Rates(clock)
    assert done.take("a", 1) == 0.0
    assert done.take("a", 1) == pytest.approx(60.0)
    assert done.take("b", 1) == 0.0


def test_only_so_many_names_are_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST", 10)
    done = Rates(clock)
    for number in range(1_000):
        done.take(str(number), 1)
        assert done.take("used", 1) > 0 or not number  # what is used goes on being remembered
    assert len(done._done) == 10
