import threading
import time

import pytest

from ingest.job_moves import JobMoves
from ingest.job_store import Job
from tests.ingest.workshop import SOON, NewJobs, Workshop, request


def test_whoever_looks_all_the_time_knows_how_every_job_stands(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = new_jobs(workers=4)
    moves = JobMoves(jobs, shop.kb)
    assert moves.first(100) == []
    known: dict[str, Job] = {}
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            known.update({job.id: job for job in moves.next()})

    looking = threading.Thread(target=look)
    looking.start()
    jobs.start()
    sent = []
    for round_ in range(4):
        sent += jobs.submit(shop.kb, [request(f"{round_}-{n}", f"Zebra {n}.") for n in range(20)])
        if round_ == 2:
            jobs.cancel(sent[-1].id)
    jobs.wait([job.id for job in sent], SOON)
    over.set()
    looking.join()
    known.update({job.id: job for job in moves.next()})
    assert known == {job.id: jobs.get(job.id) for job in sent}
    assert moves.next() == []


def test_the_first_look_has_what_is_newest_and_then_only_what_moves(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = new_jobs()
    sent = jobs.submit(shop.kb, [request(str(n), f"Zebra {n}.") for n in range(5)])
    moves = JobMoves(jobs, shop.kb)
    assert moves.first(3) == [sent[4], sent[3], sent[2]]
    moves.next()
    assert moves.next() == []
    jobs.cancel(sent[0].id)
    [moved] = moves.next()
    assert (moved.id, moved.state) == (sent[0].id, "cancelled")
    assert {stage.value: n for stage, n in moves.counts().items()} == {"queued": 4, "cancelled": 1}


def test_moves_are_seen_after_the_clock_was_set_back(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = new_jobs()
    moves = JobMoves(jobs, shop.kb)
    [before] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert [job.id for job in moves.next()] == [before.id]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3_600)
    assert moves.next() == []
    [after] = jobs.submit(shop.kb, [request("b", "Zebu.")])
    assert after.id in [job.id for job in moves.next()]
