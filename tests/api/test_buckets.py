import pytest

from api import buckets
from api.buckets import Buckets
from tests.clock import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_bucket_holds_a_minute_and_fills_up_again(clock: Clock) -> None:
    filled = Buckets(clock)
    assert [filled.take("a", 3) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert filled.take("a", 3) == pytest.approx(20.0)
    clock.now += 19.9
    assert filled.take("a", 3) == pytest.approx(0.1)
    clock.now += 0.2
    assert filled.take("a", 3) == 0.0
    clock.now += 3600
    assert [filled.take("a", 3) > 0 for _ in range(4)] == [False, False, False, True]


def test_each_name_has_its_own(clock: Clock) -> None:
    filled = Buckets(clock)
    assert filled.take("a", 1) == 0.0
    assert filled.take("a", 1) == pytest.approx(60.0)
    assert filled.take("b", 1) == 0.0


def test_looking_takes_nothing(clock: Clock) -> None:
    filled = Buckets(clock)
    assert [filled.wait("a", 1) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_full_buckets_are_forgotten_but_no_others(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "_MOST", 10)
    filled = Buckets(clock)
    filled.take("used", 1)
    for number in range(1_000):
        filled.wait(str(number), 60)
    assert filled.take("used", 1) > 0
    assert len(filled._buckets) <= 10
