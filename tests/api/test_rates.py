import random
from pathlib import Path

import anyio
import pytest

from api import rates
from api.rates import CataloguedRates, LocalRates, rates_of
from tests.catalogues import catalogue_in
from tests.clock import Clock


class Counted:
    """Rates that are asked without waiting."""

    def __init__(self, clock: Clock) -> None:
        self.rates = LocalRates(clock)

    def take(self, name: str, rate: int) -> float:
        return anyio.run(self.rates.take, name, rate)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def done(clock: Clock) -> Counted:
    return Counted(clock)


def test_it_may_be_done_so_often_a_minute(done: Counted, clock: Clock) -> None:
    assert [done.take("a", 3) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert done.take("a", 3) == pytest.approx(60.0)
    clock.now += 59.9
    assert done.take("a", 3) == pytest.approx(0.1)
    clock.now += 0.2
    assert [done.take("a", 3) > 0 for _ in range(4)] == [False, False, False, True]


def test_no_minute_has_more(clock: Clock) -> None:
    chance = random.Random(7)  # noqa: S311

    async def take() -> list[float]:
        done, taken = LocalRates(clock), list[float]()
        for _ in range(2_000):
            if not await done.take("a", 10):
                taken.append(clock.now)
            clock.now += chance.choice([0.0, 0.01, 1.0, 15.0])
        return taken

    taken = anyio.run(take)
    assert len(taken) > 100
    assert all(later - first >= 60.0 for first, later in zip(taken, taken[10:], strict=False))


def test_whoever_waits_as_long_as_is_said_may(done: Counted, clock: Clock) -> None:
    for _ in range(50):
        while wait := done.take("a", 5):
            clock.now += wait
        clock.now += 1.0


def test_a_rate_that_was_lowered_counts_at_once(done: Counted, clock: Clock) -> None:
    for _ in range(10):
        done.take("a", 10)
        clock.now += 1.0
    assert done.take("a", 2) == pytest.approx(58.0)


def test_each_name_has_its_own(done: Counted) -> None:
    assert done.take("a", 1) == 0.0
    assert done.take("a", 1) == pytest.approx(60.0)
    assert done.take("b", 1) == 0.0


def test_only_so_many_names_are_remembered(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_MOST", 10)

    async def take() -> int:
        done = LocalRates(clock)
        for number in range(1_000):
            await done.take(str(number), 1)
            used = await done.take("used", 1)
            assert used > 0 or not number  # what is used goes on being remembered
        return len(done._done)

    assert anyio.run(take) == 10


def test_processes_that_share_a_catalogue_count_together(tmp_path: Path) -> None:
    database = catalogue_in(tmp_path)
    here, there = (rates_of("key", database) for _ in range(2))
    other = rates_of("guess", database)

    async def take() -> list[bool]:
        return [bool(await one.take("a", 1)) for one in (here, there, other)]

    assert isinstance(here, CataloguedRates) is database.shared
    assert anyio.run(take) == [False, database.shared, False]
