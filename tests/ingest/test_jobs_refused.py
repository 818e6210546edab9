"""Uploads that come to nothing, wholly or in part, while their bytes are received."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from ingest import jobs as jobs_module
from ingest.job_store import Failure, Job, JobStore
from ingest.jobs import Jobs
from ingest.types import Stage
from retrieval.errors import KnowledgeBaseNotFound, StoreUnavailable
from tests.catalogues import on_sqlite
from tests.ingest.workshop import SOON, NewJobs, Workshop, finished, request, soon

TWO = [request("a", "Zebra."), request("b", "Lion.")]


class Blobs:
    """Those of a workshop, whose puts wait to be let through."""

    def __init__(self, shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
        self._put = shop.engine.blobs.put
        self.reached, self.open = threading.Event(), threading.Event()
        monkeypatch.setattr(shop.engine.blobs, "put", self.put)

    def put(self, data: bytes) -> str:
        self.reached.set()
        assert self.open.wait(SOON)
        return self._put(data)


@pytest.fixture
def blobs(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Blobs:
    return Blobs(shop, monkeypatch)


@pytest.fixture
def sender() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture
def sent(
    shop: Workshop, blobs: Blobs, sender: ThreadPoolExecutor
) -> Iterator[Callable[[Jobs], "tuple[Future[list[Job]], list[Job]]"]]:
    """Sends two, whose jobs are known by then and whose bytes are still being received."""

    def send(jobs: Jobs) -> "tuple[Future[list[Job]], list[Job]]":
        reply = sender.submit(jobs.submit, shop.kb, TWO)
        assert blobs.reached.wait(SOON)
        return reply, jobs.newest(2)[::-1]

    yield send
    blobs.open.set()


def away(*_: object, **__: object) -> Any:
    raise StoreUnavailable("away")


def kept(shop: Workshop) -> list[str]:
    shop.engine.indexer.settle()
    return [*shop.engine.blobs.digests()]


@pytest.mark.parametrize("error", [StoreUnavailable("no room"), ValueError("bug"), SystemExit("1")])
def test_all_of_a_refused_upload_fail_at_once_of_what_its_sender_was_told(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    put, told = shop.engine.blobs.put, list[Sequence[str]]()
    end = JobStore.end

    def fail(data: bytes) -> str:
        if data == b"Lion.":
            raise error
        return put(data)

    def count(store: JobStore, job_ids: Sequence[str], *args: Any) -> Sequence[str]:
        told.append(job_ids)
        return end(store, job_ids, *args)

    jobs = new_jobs()
    jobs.start()
    with monkeypatch.context() as patch:
        patch.setattr(shop.engine.blobs, "put", fail)
        patch.setattr(JobStore, "end", count)
        with pytest.raises(type(error), match=str(error)):
            jobs.submit(shop.kb, TWO)
    failure = Failure(type(error).__name__, str(error))
    refused = jobs.newest(10)
    assert [(job.state, job.error) for job in refused] == [(Stage.FAILED, failure)] * 2
    assert told == [[job.id for job in reversed(refused)]]
    assert kept(shop) == []
    assert finished(jobs, *jobs.submit(shop.kb, TWO)) == [Stage.DONE] * 2
    assert shop.parser.calls == 2


def test_a_refused_upload_fails_when_the_catalogue_is_back(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_LOOK", 0.02)
    tried, is_back, end = threading.Semaphore(0), threading.Event(), JobStore.end

    def fail(store: JobStore, *args: Any) -> Sequence[str]:
        tried.release()
        if not is_back.is_set():
            raise StoreUnavailable("stalled")
        return end(store, *args)

    jobs = new_jobs()
    jobs.start()
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "receive", away)
        patch.setattr(JobStore, "end", fail)
        with pytest.raises(StoreUnavailable, match="away"):
            jobs.submit(shop.kb, TWO)
        waiting = jobs.newest(10)
        for _ in range(3):
            assert tried.acquire(timeout=SOON)
        assert {job.state for job in jobs.newest(10)} == {Stage.QUEUED}
        is_back.set()
        assert finished(jobs, *waiting) == [Stage.FAILED] * 2
    assert {job.error for job in jobs.newest(10)} == {Failure("StoreUnavailable", "away")}
    soon(lambda: kept(shop) == [])
    assert shop.parser.calls == 0
    assert finished(jobs, *jobs.submit(shop.kb, TWO)) == [Stage.DONE] * 2


@on_sqlite  # where several processes may have it, see test_jobs_shared
def test_what_was_not_put_is_over_though_its_bytes_are_there(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = new_jobs()
    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "receive", away)
        patch.setattr(JobStore, "end", away)
        with pytest.raises(StoreUnavailable, match="away"):
            before.submit(shop.kb, TWO)
        before.close()
    assert len(kept(shop)) == 2
    jobs = new_jobs()
    jobs.start()
    ended = jobs.wait([job.id for job in jobs.newest(10)], SOON)
    assert [job.error and job.error.kind for job in ended] == ["NotReceived"] * 2
    soon(lambda: kept(shop) == [])
    assert shop.parser.calls == 0


def test_what_is_taken_back_while_it_is_received_is_told_so_and_leaves_no_bytes(
    shop: Workshop, new_jobs: NewJobs, blobs: Blobs, sent: Callable[..., Any]
) -> None:
    jobs = new_jobs()
    reply, [first, second] = sent(jobs)
    assert jobs.cancel(first.id).state is Stage.CANCELLED
    blobs.open.set()
    found = reply.result(SOON)
    assert [(job.id, job.state) for job in found] == [
        (first.id, Stage.CANCELLED),
        (second.id, Stage.QUEUED),
    ]
    assert kept(shop) == [second.blob]
    jobs.start()
    assert finished(jobs, first, second) == [Stage.CANCELLED, Stage.DONE]


def test_what_is_taken_back_the_moment_it_was_received_is(
    shop: Workshop,
    new_jobs: NewJobs,
    blobs: Blobs,
    sent: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = new_jobs()
    reply, [first, second] = sent(jobs)
    save = JobStore.save

    def late(store: JobStore, *args: Any) -> bool:
        blobs.open.set()
        assert [job.state for job in reply.result(SOON)] == [Stage.QUEUED] * 2
        return save(store, *args)

    with monkeypatch.context() as patch:
        patch.setattr(JobStore, "save", late)
        assert jobs.cancel(first.id).state is Stage.CANCELLED
    assert kept(shop) == [second.blob]
    jobs.start()
    assert finished(jobs, first, second) == [Stage.CANCELLED, Stage.DONE]


def test_what_goes_with_its_document_while_it_is_received_was_taken_back(
    shop: Workshop, new_jobs: NewJobs, blobs: Blobs, sent: Callable[..., Any]
) -> None:
    jobs = new_jobs()
    jobs.start()
    blobs.open.set()
    [there] = jobs.submit(shop.kb, [request("a", "Giraffe.")])
    assert finished(jobs, there) == [Stage.DONE]
    blobs.open.clear()
    blobs.reached.clear()
    reply, [first, second] = sent(jobs)
    jobs.remove(shop.kb, first.document_id)
    blobs.open.set()
    found = reply.result(SOON)
    assert [(job.id, job.state) for job in found] == [
        (first.id, Stage.CANCELLED),
        (second.id, Stage.QUEUED),
    ]
    assert finished(jobs, second) == [Stage.DONE]
    assert kept(shop) == [second.blob]


def test_what_goes_with_its_knowledge_base_while_it_is_received_leaves_no_bytes(
    shop: Workshop, new_jobs: NewJobs, blobs: Blobs, sent: Callable[..., Any]
) -> None:
    reply, _ = sent(new_jobs())
    shop.engine.indexer.remove_knowledge_base(shop.kb)
    blobs.open.set()
    with pytest.raises(KnowledgeBaseNotFound, match="docs"):
        reply.result(SOON)
    assert kept(shop) == []


def test_originals_are_received_side_by_side(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, put = threading.Barrier(8), shop.engine.blobs.put

    def meet(data: bytes) -> str:
        together.wait(SOON)
        return put(data)

    monkeypatch.setattr(shop.engine.blobs, "put", meet)
    accepted = new_jobs().submit(shop.kb, [request(f"{n}", f"Number {n}.") for n in range(16)])
    assert [job.uri for job in accepted] == [f"{n}" for n in range(16)]
