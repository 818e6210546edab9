import pytest

from evaluation.embedding_bench.field import Field
from evaluation.embedding_bench.latency import capacities, latencies
from evaluation.embedding_bench.texts import TextSet
from evaluation.latency import SHARES, Load
from tests.evaluation.embedding_bench.conftest import Fake

TEXTS = TextSet("short", ("a", "b", "c", "d"))


def test_each_target_climbs_the_shares_of_its_own_capacity() -> None:
    field = Field([Fake("slow", seconds=0.04), Fake("fast", seconds=0.01)])
    capacity = capacities(field, TEXTS)
    assert capacity == pytest.approx({"slow": 100.0, "fast": 400.0})
    found = latencies(field, TEXTS, Load((), 2.0, 0), capacity, lambda _: None)
    assert [one.share for one in found["slow"]] == pytest.approx(SHARES)
    assert [one.rate for one in found["fast"]] == pytest.approx([400 * s for s in SHARES])
    assert [one.requests for one in found["slow"]] == [20, 60, 100, 140, 180]
    assert {one.p99 for one in found["slow"]} == {40.0}


def test_given_rates_are_the_same_for_all() -> None:
    field = Field([Fake("slow", seconds=0.04), Fake("fast", seconds=0.01)])
    load = Load((10.0, 200.0), 1.0, 0)
    seen: list[int] = []
    found = latencies(field, TEXTS, load, capacities(field, TEXTS), seen.append)
    for measured in found.values():
        assert [one.rate for one in measured] == [10.0, 200.0]
    assert [one.share for one in found["slow"]] == pytest.approx([0.1, 2.0])
    assert seen == [1, 2, 3, 4]


def test_one_that_fails_under_load_keeps_what_was_measured() -> None:
    field = Field([Fake("weak", seconds=0.01, fails_at=3), Fake("strong", seconds=0.01)])
    found = latencies(field, TEXTS, Load((), 1.0, 0), capacities(field, TEXTS), lambda _: None)
    assert [len(found[name]) for name in ("weak", "strong")] == [1, 5]
    assert field.failures == {"weak": "serve went wrong"}


def test_without_seconds_there_is_no_latency() -> None:
    assert Load((), 0.0, 0).steps == 0
