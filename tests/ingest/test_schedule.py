"""A queue with times."""

import time
from concurrent.futures import ThreadPoolExecutor

from ingest.schedule import Schedule
from tests.ingest.workshop import SOON


def test_first_come_first_served_and_nothing_early() -> None:
    schedule = Schedule()
    due = time.monotonic() + 0.05
    schedule.put("later", "one", 0.05)
    schedule.put("a", "one")
    schedule.put("b", "one")
    assert [schedule.get(), schedule.get(), schedule.get()] == ["a", "b", "later"]
    assert time.monotonic() >= due


def test_what_is_put_wakes_who_waits_for_something_later() -> None:
    schedule = Schedule()
    schedule.put("tomorrow", "one", 86_400)
    with ThreadPoolExecutor(1) as threads:
        taken = threads.submit(schedule.get)
        schedule.put("now", "one")
        assert taken.result(SOON) == "now"


def test_closing_wakes_everybody() -> None:
    schedule = Schedule()
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(schedule.get) for _ in range(2)]
        schedule.close()
        assert [one.result(SOON) for one in waiting] == [None, None]
    schedule.put("late", "one")
    assert schedule.get() is None


def taken(schedule: Schedule, count: int) -> str:
    return " ".join(schedule.get() or "" for _ in range(count))


def test_whose_last_turn_is_the_longest_ago_is_next() -> None:
    schedule = Schedule()
    for job_id in ("a1", "a2", "a3", "a4", "b1", "b2", "c1"):
        schedule.put(job_id, job_id[0])
    assert taken(schedule, 4) == "a1 b1 c1 a2"
    schedule.put("c2", "c")
    schedule.put("d1", "d")
    assert taken(schedule, 5) == "d1 b2 c2 a3 a4"


def test_who_comes_back_is_no_better_off_than_who_stayed() -> None:
    schedule = Schedule()
    for job_id in ("a1", "a2", "b1"):
        schedule.put(job_id, job_id[0])
    assert taken(schedule, 2) == "a1 b1"
    schedule.put("b2", "b")
    assert taken(schedule, 2) == "a2 b2"


def test_what_was_put_off_isnt_overtaken_for_ever() -> None:
    schedule = Schedule()
    schedule.put("off", "one", 1e-9)
    schedule.put("a", "one")
    assert taken(schedule, 1) == "a"
    schedule.put("b", "one")
    assert taken(schedule, 2) == "off b"
