"""Jobs that fail of something that may pass."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingest import jobs as jobs_module
from ingest import quotas
from ingest.errors import DamagedDocument
from ingest.jobs import Jobs
from ingest.leased_queue import LeasedQueue
from ingest.types import Stage
from retrieval.errors import InvalidRequest, StoreUnavailable
from tests.catalogues import on_sqlite
from tests.conftest import OpenEngine
from tests.ingest.workshop import SOON, Gate, NewJobs, Workshop, finished, jobs_of, request


def soon(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.05) -> None:
    monkeypatch.setattr(jobs_module, "delay", lambda attempts: seconds)


def started(new_jobs: NewJobs) -> Jobs:
    jobs = new_jobs()
    jobs.start()
    return jobs


def test_a_job_that_is_put_off_says_why_and_until_when(shop: Workshop, new_jobs: NewJobs) -> None:
    shop.parser.error = StoreUnavailable("disk full")
    jobs = started(new_jobs)
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    [waits] = jobs.wait([job.id], SOON)
    assert (waits.state, waits.attempts) == (Stage.QUEUED, 1)
    assert waits.error and waits.error.message == "disk full"
    assert waits.retry_at and waits.retry_at > waits.created_at + 1.9
    assert jobs.cancel(job.id).state is Stage.CANCELLED
    shop.engine.indexer.settle()
    assert not shop.engine.blobs.has(job.blob)


def test_it_is_done_when_the_fault_has_passed(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch)
    shop.parser.error = StoreUnavailable("disk full")
    jobs = started(new_jobs)
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    while shop.parser.calls < 3:
        jobs.wait([job.id], SOON)
    shop.parser.error = None
    while not (ended := jobs.get(job.id)).state.final:
        jobs.wait([job.id], SOON)
    assert (ended.state, ended.error, ended.retry_at) == (Stage.DONE, None, None)
    assert ended.attempts == shop.parser.calls
    assert shop.found("zebra") == ["a"]


def test_it_fails_when_patience_is_at_an_end(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch)
    shop.parser.error = StoreUnavailable("disk full")
    jobs = Jobs(shop.engine, shop.pipeline(), 1, patience=2)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    while not (ended := jobs.get(job.id)).state.final:
        jobs.wait([job.id], SOON)
    jobs.close()
    assert ended.state is Stage.FAILED
    assert ended.error and ended.error.message.startswith("disk full It was tried")
    assert shop.parser.calls == ended.attempts > 1
    shop.engine.indexer.settle()
    assert not shop.engine.blobs.has(job.blob)


def test_a_job_that_is_put_off_is_tried_by_the_next_process(
    open_test_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Workshop(open_test_engine)
    before.parser.error = StoreUnavailable("disk full")
    soon(monkeypatch, 0.5)
    with jobs_of(before) as new:
        jobs = started(new)
        [job] = jobs.submit(before.kb, [request("a", "Zebra.")])
        jobs.wait([job.id], SOON)
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = started(new)
        while not jobs.get(job.id).state.final:
            jobs.wait([job.id], SOON)
        assert jobs.get(job.id).attempts == 2
    assert after.found("zebra") == ["a"]


@on_sqlite  # where several processes may have them, see test_jobs_shared
def test_bytes_that_are_gone_end_their_job_with_a_reason(open_test_engine: OpenEngine) -> None:
    before = Workshop(open_test_engine)
    with jobs_of(before) as new:
        lost, kept = new().submit(before.kb, [request("a", "Zebra."), request("b", "Lion.")])
    before.engine.blobs.delete(lost.blob)
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = started(new)
        assert finished(jobs, lost, kept) == [Stage.FAILED, Stage.DONE]
        error = jobs.get(lost.id).error
    assert error and (error.kind, "are gone" in error.message) == ("DataLost", True)


def test_what_fails_for_good_keeps_no_bytes_and_no_vectors(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = started(new_jobs)
    shop.parser.error = DamagedDocument("bad")
    [bad] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, bad)
    shop.parser.error = None
    poisoned = "# One\n\nGood text.\n\n# Two\n\nThe poison text."
    [half] = jobs.submit(shop.kb, [request("b.md", poisoned)])
    assert finished(jobs, half) == [Stage.FAILED]
    shop.engine.indexer.settle()
    assert list(shop.engine.blobs.digests()) == []
    with shop.engine.database.read() as connection:
        assert connection.exec_driver_sql("select count(*) from embeddings").scalar() == 0


def test_bytes_that_are_being_deleted_are_accepted_when_they_are_gone(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, delete = started(new_jobs), shop.engine.blobs.delete
    [first] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, first)
    begun, go_on = threading.Event(), threading.Event()

    def slow(digest: str) -> None:
        begun.set()
        assert go_on.wait(SOON)
        delete(digest)

    monkeypatch.setattr(shop.engine.blobs, "delete", slow)
    jobs.remove(shop.kb, first.document_id)
    assert begun.wait(SOON)
    with ThreadPoolExecutor(1) as pool:
        accepting = pool.submit(jobs.submit, shop.kb, [request("a", "Zebra.")])
        other, _ = shop.engine.create("other")
        assert finished(jobs, *jobs.submit(other, [request("b", "Lion.")])) == [Stage.DONE]
        with pytest.raises(TimeoutError):
            accepting.result(0.2)
        go_on.set()
        [again] = accepting.result(SOON)
    assert finished(jobs, again) == [Stage.DONE]
    assert shop.engine.blobs.has(again.blob)


def test_the_queue_lists_what_there_is(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    first, second = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    jobs.cancel(second.id)
    assert jobs.counts() == {Stage.QUEUED: 1, Stage.CANCELLED: 1}
    assert [job.id for job in jobs.newest(10, state=Stage.QUEUED)] == [first.id]
    assert {job.id for job in jobs.newest(10, kb_id=shop.kb.id)} == {first.id, second.id}
    assert jobs.counts("another") == {}


def test_a_document_is_removed_with_what_is_on_its_way_to_it(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = started(new_jobs)
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, job)
    late = new_jobs()
    [coming] = late.submit(shop.kb, [request("a", "Lion.")])
    late.remove(shop.kb, job.document_id)
    assert jobs.newest(10) == []
    shop.engine.indexer.settle()
    assert list(shop.engine.blobs.digests()) == []
    late.start()
    assert shop.engine.documents.list(shop.kb, 10) == []
    assert coming.document_id == job.document_id


def test_what_was_sent_first_never_overwrites_what_was_sent_later(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch, 0.2)
    shop.parser.error = StoreUnavailable("disk full")
    jobs = started(new_jobs)
    [first] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    jobs.wait([first.id], SOON)
    [second, other] = jobs.submit(shop.kb, [request("a", "Lion."), request("b", "Lynx.")])
    shop.parser.error = None
    for job in (first, second, other):
        while not jobs.get(job.id).state.final:
            jobs.wait([job.id], SOON)
    assert (shop.found("zebra"), shop.found("lion")) == ([], ["a"])
    assert jobs.get(second.id).outcome == "updated"


def test_the_order_survives_a_restart(open_test_engine: OpenEngine) -> None:
    before = Workshop(open_test_engine)
    texts = [f"Text {number}." for number in range(12)]
    with jobs_of(before) as new:
        accepted = new().submit(before.kb, [request("a", text) for text in texts])
    after = Workshop(open_test_engine)
    with jobs_of(after) as new:
        jobs = new(workers=4)
        jobs.start()
        assert finished(jobs, *accepted) == [Stage.DONE] * 12
    assert after.engine.documents.get(after.kb, accepted[0].document_id).text == texts[-1]


def test_a_document_that_is_removed_stays_so_whatever_was_put_off(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch, 0.1)
    jobs = started(new_jobs)
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, job)
    shop.parser.error = StoreUnavailable("disk full")
    coming = jobs.submit(shop.kb, [request("a", "Lion."), request("a", "Lynx.")])
    jobs.wait([coming[0].id], SOON)
    jobs.remove(shop.kb, job.document_id)
    shop.parser.error = None
    [later] = jobs.submit(shop.kb, [request("b", "Tiger.")])
    finished(jobs, later)
    time.sleep(0.3)
    assert [one.uri for one in shop.engine.documents.list(shop.kb, 10)] == ["b"]


def test_what_is_taken_back_while_it_fails_is_not_put_off(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    gate = Gate()
    gate.error = StoreUnavailable("disk full")
    jobs = new_jobs(parser=gate)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    jobs.cancel(job.id)
    gate.open.set()
    assert finished(jobs, job) == [Stage.CANCELLED]
    shop.engine.indexer.settle()
    assert not shop.engine.blobs.has(job.blob)


def test_what_is_taken_back_after_attempts_leaves_no_vectors(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon(monkeypatch, 60.0)
    jobs = started(new_jobs)

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(shop.engine.indexer, "publish", full)
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    jobs.wait([job.id], SOON)
    assert cached(shop) == 1
    jobs.cancel(job.id)
    assert cached(shop) == 0


def test_nobody_waits_behind_a_job_that_is_put_off(shop: Workshop, new_jobs: NewJobs) -> None:
    shop.parser.error = StoreUnavailable("disk full")
    jobs = started(new_jobs)
    [first] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    jobs.wait([first.id], SOON)
    [second] = jobs.submit(shop.kb, [request("a", "Lion.")])
    [waits] = jobs.wait([second.id], SOON)
    assert (waits.state, waits.attempts, waits.retry_at) == (Stage.QUEUED, 0, None)


def test_what_was_not_accepted_is_never_done(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full: neither the bytes can be written, nor why the job failed."""
    jobs = started(new_jobs)
    put, save = shop.engine.blobs.put, jobs._store.save
    written: list[bytes] = []

    def part(data: bytes) -> str:
        if written:
            raise StoreUnavailable("disk full")
        written.append(data)
        return put(data)

    def full(*_: object) -> None:
        raise StoreUnavailable("disk full")

    monkeypatch.setattr(shop.engine.blobs, "put", part)
    monkeypatch.setattr(jobs._store, "save", full)
    monkeypatch.setattr(jobs_module, "_LEFT", 0.05)
    if isinstance(jobs._queue, LeasedQueue):  # the end of the lease is waited for
        monkeypatch.setattr(jobs._queue._leases, "lasts", 1.0)
    with pytest.raises(StoreUnavailable):
        jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    monkeypatch.setattr(jobs._store, "save", save)
    while not all(job.state.final for job in jobs.newest(10)):
        time.sleep(0.01)
    assert {job.state for job in jobs.newest(10)} <= {Stage.CANCELLED, Stage.FAILED}
    assert shop.engine.documents.list(shop.kb, 10) == []


def test_a_document_waits_to_be_removed_for_a_job_that_is_taken_back_too_late(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = started(new_jobs)
    [old] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    finished(jobs, old)
    publish = shop.engine.indexer.publish
    reached, go = threading.Event(), threading.Event()

    def held(*args: Any, **kwargs: Any) -> Any:
        reached.set()
        assert go.wait(SOON)
        return publish(*args, **kwargs)

    monkeypatch.setattr(shop.engine.indexer, "publish", held)
    [job] = jobs.submit(shop.kb, [request("a", "Lion.")])
    assert reached.wait(SOON)
    jobs.cancel(job.id)
    with ThreadPoolExecutor(1) as threads:
        removing = threads.submit(jobs.remove, shop.kb, job.document_id)
        time.sleep(0.1)
        go.set()
        removing.result(SOON)
    assert shop.engine.documents.list(shop.kb, 10) == []


def test_the_queue_tells_what_is_at_work(shop: Workshop, new_jobs: NewJobs) -> None:
    gate = Gate()
    jobs = new_jobs(workers=1, parser=gate)
    jobs.start()
    first, second = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    assert gate.reached.wait(SOON)
    assert [job.id for job in jobs.newest(10, state=Stage.PARSING)] == [first.id]
    assert [job.id for job in jobs.newest(10, state=Stage.QUEUED)] == [second.id]
    assert jobs.newest(10, kb_id="another", state=Stage.PARSING) == []
    gate.open.set()
    finished(jobs, first, second)
    assert len(jobs.newest(10, state=Stage.DONE)) == 2


def test_more_than_ever_may_wait_is_no_matter_of_time(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "MAX_WAITING", 2)
    with pytest.raises(InvalidRequest, match="too many; 2 may be sent"):
        new_jobs().submit(shop.kb, [request(f"{n}", "x") for n in range(3)])


def cached(shop: Workshop) -> int:
    with shop.engine.database.read() as connection:
        return connection.exec_driver_sql("select count(*) from embeddings").scalar() or 0
