from collections import Counter

import pytest

from evaluation.serving_bench.client import Asked
from evaluation.serving_bench.figures import Beside, Call
from evaluation.serving_bench.results import Case, Fed, Measure, Tally

ALONE, LOADED = Beside.NOTHING, Beside.INGESTION


def asked(*latencies: float | None, seconds: float = 2.0, **errors: int) -> Asked:
    return Asked(list(latencies), Counter(errors), "", seconds, 0.5)


@pytest.fixture
def tally() -> Tally:
    """Two rounds of a call: answered 4 and 2 times a second alone, once a second beside."""
    found = Tally()
    for each in (asked(*[0.1] * 8), asked(*[0.1] * 4, None, timeout=1)):
        found.add(Case(Call.ASK, ALONE), Measure(each, 0))
    for each in (asked(0.01, 0.02), asked(0.03, None, full=1)):
        found.add(Case(Call.ASK, ALONE, 1.0), Measure(each, 0))
    for texts in (10, 30):
        found.add(Case(Call.ASK, LOADED), Measure(asked(0.1, 0.1), texts))
        found.add(Case(Call.ASK, LOADED, 1.0), Measure(asked(0.5, 0.5), texts))
    found.fed += [Fed(20, 0, 4.0), Fed(60, 2, 4.0)]
    return found


def test_shares_are_of_the_first_round_alone(tally: Tally) -> None:
    assert tally.capacity(Call.ASK) == 4.0
    assert {one.latency.share for one in tally.steps()} == {0.25}


def test_latencies_and_errors_are_of_all_rounds(tally: Tally) -> None:
    alone, loaded = tally.steps()
    assert (alone.latency.requests, alone.latency.unanswered) == (4, 1)
    assert (alone.latency.p50, alone.latency.p95) == (20.0, None)
    assert alone.errors == {"full": 1}
    assert loaded.latency.p95 == 500.0
    assert len(tally) == 8


def test_throughput_is_of_what_was_answered(tally: Tally) -> None:
    alone, loaded = tally.throughputs()
    assert (alone.answers.value, alone.answers.low, alone.answers.high) == (3.0, 2.0, 4.0)
    assert alone.errors == {"timeout": 1}
    assert (loaded.answers.value, loaded.client) == (1.0, 0.25)


def test_what_was_ingested_meanwhile(tally: Tally) -> None:
    assert [one.ingested for one in tally.steps()] == [None, 10.0]
    (beside,) = tally.ingestions()
    assert (beside.texts, beside.failed, beside.rate.value) == (80, 2, 10.0)
    assert Tally().ingestions() == ()
