"""A queue with times."""

import time
from concurrent.futures import ThreadPoolExecutor

from ingest.schedule import Schedule
from tests.ingest.workshop import SOON


def test_first_come_first_served_and_nothing_early() -> None:
    schedule = Schedule()
    due = time.monotonic() + 0.05
    schedule.put("later", 0.05)
    schedule.put("a")
    schedule.put("b")
    assert [schedule.get(), schedule.get(), schedule.get()] == ["a", "b", "later"]
    assert time.monotonic() >= due


def test_what_is_put_wakes_who_waits_for_something_later() -> None:
    schedule = Schedule()
    schedule.put("tomorrow", 86_400)
    with ThreadPoolExecutor(1) as threads:
        taken = threads.submit(schedule.get)
        schedule.put("now")
        assert taken.result(SOON) == "now"


def test_closing_wakes_everybody() -> None:
    schedule = Schedule()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(schedule.get) for _ in range(2)]
        schedule.close()
        assert [one.result(SOON) for one in waiting] == [None, None]
    schedule.put("late")
    assert schedule.get() is None
