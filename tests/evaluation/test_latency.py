import pytest

from evaluation.latency import SHARES, Latency, Load


def test_latencies_are_told_in_milliseconds_of_all_requests() -> None:
    found = Latency.of(50.0, 0.5, [*(n / 1_000 for n in range(1, 99)), None, None])
    assert (found.requests, found.unanswered) == (100, 2)
    assert (found.p50, found.p95, found.p99) == (50.0, 95.0, None)


def test_rates_are_shares_of_what_is_borne_unless_they_are_given() -> None:
    shares, given = Load((), 1.0, 0), Load((5.0, 7.0), 1.0, 0)
    assert [shares.rate(at, 200.0) for at in range(shares.steps)] == [200 * s for s in SHARES]
    assert [given.rate(at, 200.0) for at in range(given.steps)] == [5.0, 7.0]


@pytest.mark.parametrize(("rate", "count"), [(100.0, 200), (4.0, 20), (0.5, 4), (0.01, 1)])
def test_there_are_enough_arrivals_unless_that_takes_too_long(rate: float, count: int) -> None:
    assert len(Load((), 2.0, 0).arrivals(rate)) == count


def test_each_turn_has_arrivals_of_its_own() -> None:
    load = Load((), 1.0, 3)
    assert load.arrivals(50.0, 1) == load.arrivals(50.0, 1) != load.arrivals(50.0, 2)
