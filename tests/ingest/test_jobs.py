import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from ingest import jobs as jobs_module
from ingest import quotas
from ingest.errors import DamagedDocument
from ingest.job_store import Failure, Job, JobStore
from ingest.jobs import JobNotFound, Request
from ingest.parsing import ProcessParser
from ingest.pipeline import identify
from ingest.types import ParseLimits, Stage
from retrieval.access import Principal, Scope, acting_as
from retrieval.errors import DocumentNotFound, KnowledgeBaseNotFound, Overloaded, StoreUnavailable
from tests.ingest.workshop import SOON, NewJobs, Workshop, finished, note, request


def test_a_job_is_accepted_worked_off_and_told_of(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    [queued] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert (queued.state, queued.uri, queued.knowledge_base) == (Stage.QUEUED, "a", "docs")
    assert queued.document_id == identify(shop.kb, "a")
    assert jobs.get(queued.id) == queued
    assert jobs.unfinished() == 1
    jobs.start()
    [job] = jobs.wait([queued.id], SOON)
    assert (job.state, job.outcome, job.done, job.total, job.error) == (
        Stage.DONE,
        "added",
        1,
        1,
        None,
    )
    assert (jobs.get(job.id), jobs.unfinished()) == (job, 0)
    assert shop.found("zebra") == ["a"]


def test_a_job_that_nobody_knows(new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    for asked in (jobs.get, jobs.cancel, lambda key: jobs.wait([key], SOON)):
        with pytest.raises(JobNotFound, match="'nothing'"):
            asked("nothing")


def test_waiting_ends_when_its_time_is_up(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert jobs.wait([job.id], timeout=0.0) == [job]
    assert jobs.wait([], SOON) == []


def test_who_looks_at_a_catalogue_that_hangs_holds_up_nobody_who_stops(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = new_jobs()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    looks, goes_on = threading.Event(), threading.Event()
    get = JobStore.get

    def hang(store: JobStore, job_id: str) -> Job | None:
        looks.set()
        assert goes_on.wait(SOON)
        return get(store, job_id)

    monkeypatch.setattr(JobStore, "get", hang)
    waits = threading.Thread(target=jobs.wait, args=([job.id], SOON))
    waits.start()
    assert looks.wait(SOON)
    stops = threading.Thread(target=jobs.stop)
    stops.start()
    stops.join(10)
    stopped = not stops.is_alive()
    goes_on.set()
    waits.join(SOON)
    assert stopped
    assert not waits.is_alive()


def test_a_request_may_name_its_document_and_refuse_duplicates(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = new_jobs(workers=1)
    jobs.start()
    accepted = jobs.submit(
        shop.kb, [Request(note("a", "Same."), document_id="mine"), Request(note("b", "Same."))]
    )
    ended = jobs.wait([job.id for job in accepted], SOON)
    assert [(job.document_id, job.outcome) for job in ended] == [
        ("mine", "added"),
        ("mine", "duplicate"),
    ]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (DamagedDocument("a is 坏的."), Failure("DamagedDocument", "a is 坏的.")),
        (RuntimeError("bug"), Failure("RuntimeError", "bug")),
    ],
)
def test_a_failure_keeps_its_kind_and_message_and_stops_nobody_else(
    shop: Workshop, new_jobs: NewJobs, error: Exception, failure: Failure
) -> None:
    jobs = new_jobs(workers=1)
    jobs.start()
    shop.parser.error = error
    [bad] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    [ended] = jobs.wait([bad.id], SOON)
    assert (ended.state, ended.error, ended.outcome) == (Stage.FAILED, failure, None)
    shop.parser.error = None
    assert finished(jobs, *jobs.submit(shop.kb, [request("b", "Lion.")])) == [Stage.DONE]


def test_too_many_are_refused_together(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "MAX_WAITING", 3)
    jobs = new_jobs()
    two = [request("a", "Zebra."), request("b", "Lion.")]
    accepted = jobs.submit(shop.kb, two)
    with pytest.raises(Overloaded, match="than the 3 that"):
        jobs.submit(shop.kb, two)
    assert jobs.unfinished() == 2
    jobs.start()
    assert finished(jobs, *accepted) == [Stage.DONE] * 2
    assert finished(jobs, *jobs.submit(shop.kb, two)) == [Stage.DONE] * 2


def test_bytes_that_cannot_be_kept_leave_no_job_to_do(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(data: bytes) -> str:
        raise StoreUnavailable("no room")

    jobs = new_jobs()
    with monkeypatch.context() as patch:
        patch.setattr(shop.engine.blobs, "put", full)
        with pytest.raises(StoreUnavailable, match="no room"):
            jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
    assert jobs.unfinished() == 0


def test_a_knowledge_base_that_is_gone_takes_no_jobs(shop: Workshop, new_jobs: NewJobs) -> None:
    shop.engine.indexer.remove_knowledge_base(shop.kb)
    with pytest.raises(KnowledgeBaseNotFound, match="docs"):
        new_jobs().submit(shop.kb, [request("a", "Zebra.")])


def test_a_worker_outlives_a_catalogue_that_fails(
    shop: Workshop, new_jobs: NewJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    read = JobStore.get

    def fail_once(self: JobStore, job_id: str) -> Job | None:
        if threading.current_thread().name.startswith("ingest-") and not failed.is_set():
            failed.set()
            raise StoreUnavailable("busy")
        return read(self, job_id)

    monkeypatch.setattr(JobStore, "get", fail_once)
    monkeypatch.setattr(jobs_module, "_LEFT", 0.1)
    jobs = new_jobs(workers=1)
    with capture_logs() as logged:
        jobs.start()
        left, done = jobs.submit(shop.kb, [request("a", "Zebra."), request("b", "Lion.")])
        assert finished(jobs, left, done) == [Stage.DONE] * 2
    assert failed.is_set()
    [told] = [one for one in logged if one["event"] == "job_left"]
    assert told == {"event": "job_left", "log_level": "warning", "job": left.id, "error": "busy"}


def test_many_threads_submit_and_every_job_ends_once(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs(workers=4)
    jobs.start()

    def submit(thread: int) -> list[Job]:
        mine = [Request(note(f"{thread}-{n}", f"Text {n % 5}.")) for n in range(8)]
        return jobs.submit(shop.kb, [*mine, Request(note("shared", f"Thread {thread}."))])

    with ThreadPoolExecutor(8) as threads:
        accepted = [job for found in threads.map(submit, range(8)) for job in found]
    ended = jobs.wait([job.id for job in accepted], SOON)
    assert {job.state for job in ended} == {Stage.DONE}
    documents = shop.engine.documents.list(shop.kb, 100)
    assert len(documents) == 6
    assert {job.document_id for job in ended} == {document.id for document in documents}
    assert shop.engine.stores.vectors(shop.kb.generation.id).count() == 6


def test_a_job_is_done_or_cancelled_and_never_both(shop: Workshop, new_jobs: NewJobs) -> None:
    jobs = new_jobs(workers=3)
    jobs.start()
    accepted = jobs.submit(shop.kb, [request(f"{n}", f"Number {n}.") for n in range(40)])
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(jobs.cancel, [job.id for job in reversed(accepted)]))
    ended = jobs.wait([job.id for job in accepted], SOON)
    live = {document.id for document in shop.engine.documents.list(shop.kb, 100)}
    assert {job.state for job in ended} <= {Stage.DONE, Stage.CANCELLED}
    assert {job.document_id for job in ended if job.state is Stage.DONE} == live


@pytest.mark.usefixtures("never_answers")
@pytest.mark.parametrize("goes", ["the document", "the knowledge base"])
def test_what_is_on_its_way_to_what_goes_is_stopped(
    shop: Workshop, new_jobs: NewJobs, goes: str
) -> None:
    parser = ProcessParser(ParseLimits())
    jobs = new_jobs(1, parser)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("slow", "It is never read.")])
    while not jobs.at_work():
        time.sleep(0.01)
    if goes == "the document":
        with pytest.raises(DocumentNotFound):  # it was only coming
            jobs.remove(shop.kb, job.document_id)
    else:
        shop.engine.indexer.remove_knowledge_base(shop.kb)
        jobs.abandon(shop.kb)
    deadline = time.monotonic() + SOON
    while jobs.at_work():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    parser.close()


def calibrated(shop: Workshop) -> bool:
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        if shop.engine.calibrations.of(shop.kb):
            return True
        time.sleep(0.02)
    return False


def test_legs_are_measured_when_a_knowledge_base_has_grown_and_the_queue_is_empty(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = new_jobs()
    jobs.start()
    jobs.submit(shop.kb, [request(str(n), f"Zebra {n} here. Lion {n} there.") for n in range(70)])
    assert calibrated(shop)


def test_one_that_was_never_measured_is_measured_at_the_start(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    for number in range(70):
        shop.ingest(note(str(number), f"Zebra {number} here. Lion {number} there."))
    assert shop.engine.calibrations.of(shop.kb) is None
    new_jobs().start()
    assert calibrated(shop)


def test_who_waits_is_told_how_a_job_ended_though_its_document_is_gone(
    shop: Workshop, new_jobs: NewJobs
) -> None:
    jobs = new_jobs(workers=1)
    jobs.start()
    [job] = jobs.submit(shop.kb, [request("a", "Zebra.")])
    jobs.wait([job.id], SOON)
    jobs.remove(shop.kb, job.document_id)
    [ended] = jobs.wait([job.id], SOON)
    assert (ended.state, ended.outcome) == (Stage.DONE, "added")
    with pytest.raises(JobNotFound):
        jobs.get(job.id)
    stranger = Principal("key", frozenset({Scope.READ}), frozenset({"other"}))
    with acting_as(stranger), pytest.raises(JobNotFound):
        jobs.wait([job.id], SOON)
