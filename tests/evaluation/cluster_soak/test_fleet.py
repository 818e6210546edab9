"""Processes that answer, and are killed by a fleet."""

import sys
from pathlib import Path

import pytest

from evaluation.cluster_soak.fleet import Fleet, own_fleet
from evaluation.errors import LoadError
from evaluation.serving_soak.calling import Downtime
from tests.evaluation.serving_soak.test_lives import ENDS, SERVES, ready

COMMAND = (sys.executable, "-c", SERVES)


class Needed:
    """Something that all of them need."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def start(self) -> None:
        self.done.append("start")

    def crash(self) -> None:
        self.done.append("crash")

    def stall(self) -> None:
        self.done.append("stall")

    def resume(self) -> None:
        self.done.append("resume")


def test_kills_are_noted_and_those_that_serve_are_away_meanwhile(tmp_path: Path) -> None:
    downtime, needed = Downtime(), Needed()
    with own_fleet(COMMAND, COMMAND, (2, 2), tmp_path, {}) as (serving, working):
        fleet = Fleet(serving, working, {"postgres": needed}, {"s3": needed}, ready, downtime, 0)
        fleet.wait()
        fleet.kill_some()
        fleet.crash("postgres")
        fleet.stall("s3", 0.2)
        fleet.check()
    server, worker, postgres, s3 = fleet.restarts
    assert worker.what.startswith("worker")
    assert server.what.startswith("server")
    assert (postgres.what, s3.what) == ("postgres", "s3, hanging")
    assert s3.recovery >= 0.2
    assert min(one.recovery for one in (worker, server)) > 0
    assert needed.done == ["crash", "start", "stall", "resume"]
    one, all_of_them, hung = downtime.outages
    assert one.url in {each.url for each in serving}
    assert all_of_them.url is None
    assert all_of_them.ended - all_of_them.began > 5
    assert hung.url is None
    assert hung.ended - hung.began > 5.2


def test_one_that_ends_by_itself_is_told(tmp_path: Path) -> None:
    ends = (sys.executable, "-c", ENDS)
    with own_fleet(COMMAND, ends, (1, 1), tmp_path, {}) as (serving, working):
        fleet = Fleet(serving, working, {}, {}, ready, Downtime(), 0)
        with pytest.raises(LoadError, match="ended with status 4: broken"):
            fleet.wait()
