"""Jobs that are taken back, whose process stops, or whose knowledge base goes away."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest import jobs as jobs_module
from ingest.jobs import JobNotFound, Request
from ingest.types import Stage
from tests.conftest import OpenEngine
from tests.ingest.workshop import (
    SOON,
    Gate,
    NewJobs,
    Watched,
    Workshop,
    finished,
    jobs_of,
    note,
    request,
    soon,
)


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


@pytest.fixture
def waiter() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def test_a_queued_job_that_is_cancelled_is_never_begun(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    first, second = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    assert jobs.cancel(first.id).state is Stage.CANCELLED
    jobs.start()
    assert finished(jobs, first, second) == [Stage.CANCELLED, Stage.DONE]
    assert (shop.found("zebra"), shop.found("lion")) == ([], ["b"])
    assert shop.parser.calls == 1


def test_a_running_job_that_is_cancelled_stops_and_leaves_nothing(
    shop: Workshop, new_jobs: NewJobs, gate: Gate
) -> None:
    jobs = new_jobs(parser=gate)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    assert jobs.get(job.id).state is Stage.PARSING
    assert jobs.cancel(job.id).state is Stage.PARSING
    gate.open.set()
    assert finished(jobs, job) == [Stage.CANCELLED]
    assert shop.engine.documents.list(shop.kb, 10) == []
    assert finished(jobs, *jobs.submit(shop.kb, [request("a", "Zebra.")])) == [Stage.DONE]
    assert shop.found("zebra") == ["a"]


def test_what_was_taken_back_before_the_process_ended_stays_so(
    open_test_engine: OpenEngine, gate: Gate, waiter: ThreadPoolExecutor
) -> None:
    before = Workshop(open_test_engine)
    with jobs_of(before) as new:
        jobs = new(workers=1, parser=gate)
        jobs.start()
        [job] = jobs.submit(before.kb, [request("a", "Zebra.")])
        assert gate.reached.wait(SOON)
        jobs.cancel(job.id)
        closing = waiter.submit(jobs.close)
        gate.open.set()
        closing.result(SOON)
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = new()
        jobs.start()
        assert finished(jobs, job) == [Stage.CANCELLED]
        soon(lambda: list(after.engine.blobs.digests()) == [])
    assert after.engine.documents.list(after.kb, 10) == []


def test_bytes_that_a_dead_process_did_not_get_to_delete_are_deleted(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    left = shop.engine.blobs.put(b"of a document that was deleted")
    jobs = new_jobs()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    jobs.start()
    assert finished(jobs, job) == [Stage.DONE]
    soon(lambda: list(shop.engine.blobs.digests()) == [job.blob] != [left])


def test_bytes_that_a_process_leaves_later_are_deleted_by_one_that_goes_on(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_TIDY", 0.01)
    monkeypatch.setattr(jobs_module, "_STRAYS", 0.01)
    looks, digests = threading.Semaphore(0), shop.engine.blobs.digests
    first = threading.Event()

    def look() -> Iterator[str]:
        looks.release()
        if not first.is_set():
            first.set()
            raise OSError("broken")  # which ends only this look
        return digests()

    monkeypatch.setattr(shop.engine.blobs, "digests", look)
    new_jobs().start()
    for _ in range(3):
        assert looks.acquire(timeout=SOON)
    left = shop.engine.blobs.put(b"of another process, which ended")
    soon(lambda: not shop.engine.blobs.has(left))


def test_a_job_from_before_the_start_is_begun_once(
    shop: Workshop, new_jobs: NewJobs, gate: Gate
) -> None:
    jobs = new_jobs(workers=2, parser=gate)
    early, last = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    jobs.cancel(last.id)
    jobs.start()
    assert gate.reached.wait(SOON)
    [later] = jobs.submit(shop.kb, [request("c", "Tiger.")])
    gate.open.set()
    assert finished(jobs, early, later) == [Stage.DONE] * 2
    jobs.close()
    assert gate.calls == 2


def test_what_is_final_cannot_be_cancelled(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, job)
    assert jobs.cancel(job.id).state is Stage.DONE
    assert jobs.get(job.id).state is Stage.DONE


def test_jobs_survive_a_restart_and_end_once(open_test_engine: OpenEngine) -> None:
    before = Workshop(open_test_engine)
    with jobs_of(before) as new:
        accepted = new().submit(before.kb, [request(f"{n}", f"Text {n}.") for n in range(5)])
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = new()
        jobs.start()
        assert finished(jobs, *accepted) == [Stage.DONE] * 5
    with jobs_of(after) as new:
        jobs = new()
        jobs.start()
        assert jobs.unfinished() == 0
    assert after.parser.calls == len(after.backend.embedded) == 5
    assert after.engine.documents.count(after.kb) == 5


def test_what_was_sent_with_a_job_survives_a_restart(open_test_engine: OpenEngine) -> None:
    before = Workshop(open_test_engine)
    source = note("a", "退货 🙂", "题", {"year": 2026, "tags": ("x", "y")})
    with jobs_of(before) as new:
        [job] = new().submit(before.kb, [Request(source)])
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = new()
        jobs.start()
        finished(jobs, job)
    document = after.engine.documents.get(after.kb, job.document_id)
    assert (document.uri, document.title, document.text) == ("a", "题", "退货 🙂")
    assert document.metadata == source.metadata


def test_a_job_that_closing_interrupts_goes_on_at_the_next_start(
    shop: Workshop, new_jobs: NewJobs, gate: Gate, waiter: ThreadPoolExecutor
) -> None:
    jobs = new_jobs(workers=1, parser=gate)
    jobs.start()
    accepted = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    assert gate.reached.wait(SOON)
    closing = waiter.submit(jobs.close)
    assert [job.state for job in jobs.wait([job.id for job in accepted], SOON)][1] is Stage.QUEUED
    gate.open.set()
    closing.result(SOON)
    assert jobs.unfinished() == 2
    assert shop.engine.documents.count(shop.kb) == 0
    again = new_jobs()
    again.start()
    assert finished(again, *accepted) == [Stage.DONE] * 2
    assert (shop.found("zebra"), shop.found("lion")) == (["a"], ["b"])


def test_closing_lets_nobody_wait(
    shop: Workshop, new_jobs: NewJobs, waiter: ThreadPoolExecutor
) -> None:
    jobs = new_jobs(kind=Watched)
    Watched.looked = threading.Event()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    waiting = waiter.submit(jobs.wait, [job.id])
    assert Watched.looked.wait(SOON)
    jobs.close()
    jobs.close()
    assert waiting.result(SOON) == [job]


def test_a_job_goes_with_its_knowledge_base_and_whoever_waits_is_told(
    shop: Workshop, new_jobs: NewJobs, waiter: ThreadPoolExecutor
) -> None:
    jobs = new_jobs(kind=Watched)
    Watched.looked = threading.Event()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    waiting = waiter.submit(jobs.wait, [job.id], SOON)
    assert Watched.looked.wait(SOON)
    shop.engine.indexer.remove_knowledge_base(shop.kb)
    jobs.start()
    with pytest.raises(JobNotFound):
        waiting.result(SOON / 2)
    assert shop.parser.calls == 0


def test_a_knowledge_base_may_be_deleted_while_its_job_runs(
    shop: Workshop, new_jobs: NewJobs, gate: Gate
) -> None:
    jobs = new_jobs(workers=1, parser=gate)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    shop.engine.indexer.remove_knowledge_base(shop.kb)
    gate.open.set()
    [ended] = jobs.wait([job.id], SOON)
    assert ended.error
    assert (ended.state, ended.error.kind) == (Stage.FAILED, "KnowledgeBaseNotFound")
    other, _ = shop.engine.create("other")
    assert finished(jobs, *jobs.submit(other, [request("a", "Zebra.")])) == [Stage.DONE]
    assert shop.engine.documents.count(other) == 1
