"""What runs come to: rates, shares of what there is, and where they stop growing."""

import json
from datetime import date

import pytest

from evaluation.significance import Median
from evaluation.worker_scaling.figures import Growth, ScalingFigures, growth_of, scale_of
from evaluation.worker_scaling.locks import Turns
from evaluation.worker_scaling.runs import Run
from evaluation.worker_scaling.sites import WORKING
from tests.evaluation.worker_scaling.conftest import MakeRun


def figures(*runs: Run) -> ScalingFigures:
    return ScalingFigures(
        machine="CPU",
        made=date(2026, 11, 23),
        command="footnote bench workers",
        model="hashing",
        cores=2,
        documents=100,
        pages=2,
        chunks=700,
        rounds=1,
        runs=runs,
        notes=(),
    )


def growth(made: MakeRun, *seconds: float) -> Growth:
    """Of runs that took so long, each with one worker more."""
    runs = [made(workers=at, seconds=took) for at, took in enumerate(seconds, start=1)]
    return growth_of([scale_of([run]) for run in runs])


def test_several_runs_of_a_kind_are_told_by_their_medians(made: MakeRun) -> None:
    slow = made(seconds=20.0, writing=Turns(0.5, 1.0))
    scale = scale_of([made(), made(seconds=12.5), slow])
    assert scale.documents == Median(8.0, 5.0, 10.0)
    assert scale.chunks.value == pytest.approx(56.0)
    assert scale.stages == {"parsing": 10.0, "writing": 40.0}
    assert scale.wait_to_write == 0.5


def test_time_that_nobody_of_ours_took_is_told(made: MakeRun) -> None:
    scale = scale_of([made()])
    assert scale.cores[WORKING] == 0.8
    assert scale.cores["others"] == pytest.approx(0.15)
    assert scale_of([made(busy=1.0)]).cores["others"] == 0.0


def test_what_is_used_is_a_share_of_what_there_is(made: MakeRun) -> None:
    used = scale_of([made(knowledge_bases=3, publishing=Turns(1.5, 0.0))]).used
    assert used == pytest.approx(
        {
            "the cores": 0.8,
            "a worker's Python": 0.8,
            "the S3 stand-in's Python": 0.3,
            "the turn to write to the catalogue": 0.25,
            "the turns to publish": 0.5,
        }
    )
    assert set(scale_of([made(workers=0)]).used) == {"the cores", "a worker's Python"}


@pytest.mark.parametrize(
    ("seconds", "workers", "grows_on"),
    [
        ((10.0, 5.0, 4.0), 3, True),
        ((10.0, 6.0, 5.9), 2, False),
        ((10.0, 10.0, 5.0), 1, False),  # what comes after is chance
        ((10.0, 12.0), 1, False),
        ((10.0,), 1, True),
    ],
)
def test_rates_grow_up_to_some_workers(
    made: MakeRun, seconds: tuple[float, ...], workers: int, grows_on: bool
) -> None:
    found = growth(made, *seconds)
    assert (found.workers, found.grows_on) == (workers, grows_on)


def test_what_is_full_is_that_of_the_last_that_grew(made: MakeRun) -> None:
    full = made(workers=2, seconds=5.0, busy=9.5, publishing=Turns(0.95, 1.0), busiest=1.0)
    more = made(workers=3, seconds=5.0, busy=1.0)
    found = growth_of([scale_of([one]) for one in (made(), full, more)])
    assert found.full == ("the cores", "the turns to publish")
    assert growth(made, 10.0, 10.0).full == ()


def test_kinds_are_told_apart_and_only_workers_grow(made: MakeRun) -> None:
    runs = [
        made(workers=workers, knowledge_bases=bases) for workers in (2, 0, 1) for bases in (1, 3)
    ]
    found = figures(*runs, *runs)
    kinds = [(scale.knowledge_bases, scale.workers) for scale in found.scales]
    assert kinds == [(1, 0), (1, 1), (1, 2), (3, 0), (3, 1), (3, 2)]
    assert [(one.knowledge_bases, len(one.rates)) for one in found.growths] == [(1, 2), (3, 2)]


def test_a_fault_of_any_run_is_told(made: MakeRun) -> None:
    assert figures(made()).sound
    found = figures(made(), made(workers=2, faults=("1.pdf isn't there.",)))
    assert not found.sound
    told = json.loads(json.dumps(found.to_json()))
    assert told["faults"] == ["2 workers, 1 knowledge bases: 1.pdf isn't there."]
    assert told["sound"] is False
    assert told["growths"][0]["full"] == []
