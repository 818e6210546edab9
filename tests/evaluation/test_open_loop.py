"""Time is a number that the tests move."""

from concurrent.futures import Future
from statistics import fmean

import pytest

from evaluation.open_loop import open_loop, percentile, poisson
from retrieval.errors import Overloaded


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def pause(self, seconds: float) -> None:
        self.time += seconds


def answered() -> "Future[None]":
    done: Future[None] = Future()
    done.set_result(None)
    return done


def test_a_latency_counts_from_when_the_request_was_due() -> None:
    """The first takes 10 s, and those behind it can't even be sent before it is over."""
    clock = Clock()

    def submit(number: int) -> "Future[None]":
        clock.time += 10.0 if number == 0 else 0.5
        return answered()

    found = open_loop([1.0, 2.0, 3.0, 30.0], submit, 1.0, clock.now, clock.pause)
    assert found == pytest.approx([10.0, 9.5, 9.0, 0.5])


def test_a_request_does_not_wait_for_the_one_before_it() -> None:
    clock = Clock()
    sent: list[float] = []
    waiting: list[Future[None]] = []

    def submit(number: int) -> "Future[None]":
        sent.append(clock.time - 100.0)
        future: Future[None] = Future()
        waiting.append(future)
        if number == 2:
            clock.time += 7.0
            for one in waiting:
                one.set_result(None)
        return future

    found = open_loop([1.0, 2.0, 4.0], submit, 1.0, clock.now, clock.pause)
    assert sent == [1.0, 2.0, 4.0]
    assert found == pytest.approx([10.0, 9.0, 7.0])


def test_what_is_refused_fails_or_never_answers_has_no_latency() -> None:
    clock = Clock()
    never: Future[None] = Future()

    def submit(number: int) -> "Future[None]":
        if number == 0:
            raise Overloaded("full")
        if number == 1:
            failed: Future[None] = Future()
            failed.set_exception(ValueError("poison"))
            return failed
        return never if number == 2 else answered()

    found = open_loop([0.0, 0.0, 0.0, 0.0], submit, 0.01, clock.now, clock.pause)
    assert found == [None, None, None, 0.0]
    assert never.cancelled()


def test_arrivals_are_poisson_and_the_same_for_a_seed() -> None:
    due = poisson(50.0, 20_000, 1)
    assert due == poisson(50.0, 20_000, 1) != poisson(50.0, 20_000, 2)
    gaps = [after - before for before, after in zip([0.0, *due], due, strict=False)]
    mean = fmean(gaps)
    assert mean == pytest.approx(1 / 50, rel=0.03)
    assert fmean((gap - mean) ** 2 for gap in gaps) == pytest.approx(mean**2, rel=0.1)


def test_percentiles_are_of_all_requests_not_of_the_answered() -> None:
    ten = [float(n) for n in range(1, 11)]
    assert [percentile(ten, share) for share in (0.5, 0.9, 0.95, 0.99)] == [5.0, 9.0, 10.0, 10.0]
    assert percentile([*ten[:9], None], 0.9) == 9.0
    assert percentile([*ten[:9], None], 0.95) is None
    assert percentile([3.0], 0.5) == 3.0
