"""Processes that work off the jobs of one catalogue together."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from ingest import jobs as jobs_module
from ingest import leased_queue
from ingest.job_store import Job, JobStore
from ingest.jobs import Jobs
from ingest.leased_queue import LeasedQueue
from ingest.leases import LeaseLost, Leases
from ingest.parsing import GoOn, always
from ingest.pipeline import Pipeline
from ingest.types import Parsed, Stage
from retrieval import dialects
from retrieval.database import Database
from retrieval.dialects.held_connection import HeldConnection
from retrieval.engine import Engine
from retrieval.errors import StoreUnavailable
from retrieval.inspection import Inspection
from retrieval.lease import Lease
from retrieval.schema import jobs as jobs_table
from retrieval.stores.blobs import FileBlobs
from tests.another_engine import beside
from tests.catalogues import on_postgres
from tests.ingest.workshop import (
    SOON,
    CountingParser,
    Gate,
    Workshop,
    finished,
    queued,
    request,
    soon,
)

pytestmark = on_postgres

BRIEF = 0.4  # seconds that a lease lasts of which somebody waits for the end


@dataclass
class Process:
    """What a process has of its own."""

    engine: Engine
    jobs: Jobs
    parser: CountingParser

    def settle(self) -> None:
        """Wait until it works on nothing any more."""
        soon(lambda: not self.jobs.at_work())

    def die(self) -> None:
        """Do nothing from now on, not even prolong a lease."""
        self.jobs._closing.set()
        self.jobs._queue.stop()
        self.jobs._queue.close()


NewProcess = Callable[..., Process]


@pytest.fixture
def process(shop: Workshop) -> Iterator[NewProcess]:
    """Makes processes that work off the jobs of a workshop's catalogue."""
    made: list[Process] = []
    engines = []

    def new(workers: int = 2, parser: CountingParser | None = None, **more: Any) -> Process:
        engines.append(beside(shop.engine))
        engine = engines[-1].__enter__()
        parser = parser or CountingParser()
        pipeline = Pipeline(engine, parser, 1_000_000)
        made.append(Process(engine, Jobs(engine, pipeline, workers, **more), parser))
        return made[-1]

    yield new
    for one in made:
        one.jobs.close()
    for engine in engines:
        engine.__exit__(None, None, None)


@pytest.fixture
def brief_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Leases.__init__

    def brief(self: Leases, *args: object, **more: object) -> None:
        made(self, *args, **more)  # type: ignore[arg-type]
        self.lasts = BRIEF

    monkeypatch.setattr(Leases, "__init__", brief)
    monkeypatch.setattr(leased_queue, "_LOOK", 0.05)
    monkeypatch.setattr(leased_queue, "_DECLINED", 0.1)


def leased_queue_of(process: Process) -> LeasedQueue:
    queue = process.jobs._queue
    assert isinstance(queue, LeasedQueue)
    return queue


def wrong(shop: Workshop) -> list[str]:
    engine = shop.engine
    engine.indexer.settle()
    found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    return [f"{finding.subject}: {finding.detail}" for finding in found if not finding.ok]


def test_each_job_is_done_once_whoever_took_it_in(shop: Workshop, process: NewProcess) -> None:
    one, other = process(), process()
    accepted = [
        job
        for turn in range(4)
        for taker in (one, other)
        for job in taker.jobs.submit(
            shop.kb, [request(f"{turn}{n}{id(taker)}", f"Zebra {turn} {n}.") for n in range(5)]
        )
    ]
    one.jobs.start()
    other.jobs.start()
    assert finished(one.jobs, *accepted) == [Stage.DONE] * 40
    assert finished(other.jobs, *accepted) == [Stage.DONE] * 40
    assert one.parser.calls + other.parser.calls == 40
    assert one.parser.calls and other.parser.calls
    assert len(shop.engine.documents.list(shop.kb, 100)) == 40
    assert wrong(shop) == []


def test_who_waits_hears_what_another_process_did(shop: Workshop, process: NewProcess) -> None:
    here, there = process(), process()
    there.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert finished(here.jobs, job) == [Stage.DONE]
    assert here.parser.calls == 0


def test_how_far_a_job_is_there_is_seen_here_long_before_its_lease_is_prolonged(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leased_queue, "BEATS", 0.01)
    gate = Gate()
    here, there = process(), process(1, gate)
    there.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    for done in (3, 9):
        there.jobs._active[job.id] = replace(job, state=Stage.EMBEDDING, done=done, total=9)
        until = time.monotonic() + SOON
        while (seen := here.jobs.get(job.id)).done < done:
            assert time.monotonic() < until
            time.sleep(0.05)
        assert (seen.state, seen.done, seen.total) == (Stage.EMBEDDING, done, 9)
    gate.open.set()
    assert finished(here.jobs, job) == [Stage.DONE]


def test_the_job_of_a_dead_process_is_taken_over(
    shop: Workshop, process: NewProcess, brief_leases: None
) -> None:
    gate = Gate()
    dead, alive = process(1, gate), process(1)
    dead.jobs.start()
    [job] = dead.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    dead.die()
    alive.jobs.start()
    assert finished(alive.jobs, job) == [Stage.DONE]
    gate.open.set()
    assert shop.found("zebra") == ["a"]
    assert alive.parser.calls == 1


def test_who_was_away_too_long_publishes_nothing_and_ends_nothing(
    shop: Workshop, process: NewProcess, brief_leases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    away, present = process(1, gate), process(1)
    away.jobs.start()
    [job] = away.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    frozen = threading.Event()

    def freeze(*_: object) -> set[str]:
        frozen.set()
        raise StoreUnavailable("frozen")

    monkeypatch.setattr(away.jobs._queue._leases, "prolong", freeze)  # type: ignore[attr-defined]
    assert frozen.wait(SOON)
    present.jobs.start()
    assert finished(present.jobs, job) == [Stage.DONE]
    before = present.jobs.get(job.id)
    shop.engine.indexer.remove(shop.kb, job.document_id)
    gate.open.set()
    away.settle()
    assert shop.engine.documents.list(shop.kb, 10) == []
    assert shop.found("zebra") == []
    assert wrong(shop) == []
    assert before.state is Stage.DONE


def test_who_was_stopped_while_it_published_lost_its_turn_and_publishes_again(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.postgres, "_STALLED_SECONDS", 1.0)
    monkeypatch.setattr(HeldConnection, "speak", lambda _: None)
    monkeypatch.setattr(jobs_module, "delay", lambda _: 0.05)
    stopped = process(1)
    fill = stopped.engine.indexer._fill
    attempts: list[object] = []

    def slowly(*asked: Any) -> None:
        attempts.append(asked)
        if len(attempts) == 1:
            with shop.engine.database.hold([shop.kb.id], seconds=int(SOON)):
                pass
        fill(*asked)

    monkeypatch.setattr(stopped.engine.indexer, "_fill", slowly)
    stopped.jobs.start()
    [job] = stopped.jobs.submit(shop.kb, [request("a", "Zebra.")])
    soon(lambda: stopped.jobs.get(job.id).state.final)
    ended = stopped.jobs.get(job.id)
    assert ended.state is Stage.DONE
    assert ended.attempts == len(attempts) >= 2
    assert shop.found("zebra") == ["a"]
    assert wrong(shop) == []


def test_what_is_taken_back_here_is_not_published_there(
    shop: Workshop, process: NewProcess
) -> None:
    gate = Gate()
    here, there = process(1), process(1, gate)
    there.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    assert here.jobs.get(job.id).state is Stage.PARSING
    here.jobs.cancel(job.id)
    gate.open.set()
    there.settle()
    assert here.jobs.get(job.id).state is Stage.CANCELLED
    assert shop.engine.documents.list(shop.kb, 10) == []


def test_what_ended_there_meanwhile_is_not_taken_back_here(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = process(1), process(1)
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    keep = here.jobs._queue.keep

    def too_late(ended: Job) -> bool:
        there.jobs.start()
        assert finished(there.jobs, job) == [Stage.DONE]
        return keep(ended)

    monkeypatch.setattr(here.jobs._queue, "keep", too_late)
    assert here.jobs.cancel(job.id).state is Stage.DONE
    assert there.jobs.get(job.id).state is Stage.DONE
    assert shop.found("zebra") == ["a"]


def test_what_is_taken_back_leaves_no_bytes(shop: Workshop, process: NewProcess) -> None:
    gate = Gate()
    here, there = process(1), process(1, gate)
    [waits] = here.jobs.submit(shop.kb, [request("waits", "Giraffe.")])
    here.jobs.cancel(waits.id)
    there.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    here.jobs.cancel(job.id)
    gate.open.set()
    there.settle()
    there.jobs.close()
    for one in (here, there):
        one.engine.indexer.settle()
    assert {*shop.engine.blobs.digests()} == set()
    assert [one.state for one in here.jobs.newest(10)] == [Stage.CANCELLED] * 2


def test_a_job_that_was_taken_anew_is_not_lost_by_its_last_lease(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leased_queue, "BEATS", 450)
    worker = process(1)
    queue = leased_queue_of(worker)
    prolong, anew = queue._leases.prolong, threading.Event()

    def late(held: Mapping[str, Lease], at_work: Mapping[str, Job]) -> set[str]:
        if not held:
            return set()
        [job_id] = held
        queue.give_back(job_id)
        assert queue.take() == job_id
        lost = prolong(held, at_work)
        assert lost == {job_id}
        anew.set()
        return lost

    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert queue.take() == job.id
    monkeypatch.setattr(queue._leases, "prolong", late)
    queue.start()
    assert anew.wait(SOON)
    queue._heart.stop()
    queue.check(job.id)


def test_what_was_given_back_and_taken_anew_is_kept(shop: Workshop, process: NewProcess) -> None:
    worker = process(1)
    queue = leased_queue_of(worker)
    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert queue.take() == job.id
    queue.give_back(job.id, BRIEF)
    queue._release([job.id])
    assert queue.take() == job.id
    assert not queue._left
    queue.check(job.id)


def test_who_has_no_lease_any_more_ends_nothing(shop: Workshop, process: NewProcess) -> None:
    worker = process(1)
    queue = worker.jobs._queue
    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert queue.take() == job.id
    queue.leave(job.id)
    for call in (queue.check, queue.permit):
        with pytest.raises(LeaseLost):
            call(job.id)
    for state in (Stage.DONE, Stage.FAILED):
        assert not queue.keep(replace(job, state=state))
    assert worker.jobs.get(job.id).state is Stage.PARSING


def test_a_process_that_closes_leaves_its_jobs_to_the_others_at_once(
    shop: Workshop, process: NewProcess
) -> None:
    gate = Gate()
    closing, staying = process(1, gate), process(1)
    closing.jobs.start()
    [job] = closing.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    closing.jobs.stop()
    gate.open.set()
    closing.jobs.close()
    staying.jobs.start()
    assert finished(staying.jobs, job) == [Stage.DONE]


def test_versions_of_a_document_come_in_their_order(shop: Workshop, process: NewProcess) -> None:
    one, other = process(), process()
    one.jobs.start()
    other.jobs.start()
    for n in range(10):
        taker = (one, other)[n % 2]
        [last] = taker.jobs.submit(shop.kb, [request("a", f"Zebra {n}.")])
    assert finished(one.jobs, last) == [Stage.DONE]
    [document] = shop.engine.documents.list(shop.kb, 10)
    assert shop.engine.documents.get(shop.kb, document.id).text == "Zebra 9."
    assert wrong(shop) == []


def test_together_they_work_on_no_more_than_they_may(shop: Workshop, process: NewProcess) -> None:
    one, other = (process(2, Gate(), most=1) for _ in range(2))
    one.jobs.start()
    other.jobs.start()
    jobs = one.jobs.submit(shop.kb, [request(str(n), f"Zebra {n}.") for n in range(3)])
    gates = [taker.parser for taker in (one, other) if isinstance(taker.parser, Gate)]
    while not any(gate.reached.is_set() for gate in gates):
        one.jobs.wait([jobs[0].id], 0.05)
    at_work = [job for job in one.jobs.newest(10) if job.state is Stage.PARSING]
    assert len(at_work) == 1
    for gate in gates:
        gate.open.set()
    assert finished(one.jobs, *jobs) == [Stage.DONE] * 3


def test_what_was_never_received_fails_when_its_sender_is_gone(
    shop: Workshop, process: NewProcess, brief_leases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, worker = process(), process()

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    sender.jobs._queue.start()  # which would hold its leases
    with monkeypatch.context() as patch:
        for what in ("receive", "end"):
            patch.setattr(sender.jobs._store, what, away)
        with pytest.raises(StoreUnavailable, match="away"):
            sender.jobs.submit(shop.kb, [request("a", "Zebra.")])
        [job] = worker.jobs.newest(1)
        assert sender.engine.blobs.has(job.blob)
        assert (job.state, job.received) == (Stage.QUEUED, False)
        sender.die()
        [next_one] = worker.jobs.submit(shop.kb, [request("a", "Lion.")])
        worker.jobs.start()
        [ended, done] = worker.jobs.wait([job.id, next_one.id], SOON)
    assert (ended.state, ended.error and ended.error.kind) == (Stage.FAILED, "NotReceived")
    assert (done.state, shop.found("zebra"), shop.found("lion")) == (Stage.DONE, [], ["a"])
    assert worker.parser.calls == 1


def test_how_a_job_ended_that_the_catalogue_could_not_take_costs_it_no_lapse(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker, save, failed = process(1), JobStore.save, threading.Event()

    def fail_once(store: JobStore, *args: Any) -> bool:
        if not failed.is_set():
            failed.set()
            raise StoreUnavailable("away")
        return save(store, *args)

    monkeypatch.setattr(JobStore, "save", fail_once)
    monkeypatch.setattr(jobs_module, "_LEFT", 0.1)
    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    worker.jobs.start()
    [ended] = worker.jobs.wait([job.id], SOON)
    assert failed.is_set()
    assert (ended.state, ended.lapses) == (Stage.DONE, 0)


def test_a_catalogue_that_is_away_for_longer_costs_what_is_in_hand_no_lapse(
    shop: Workshop, process: NewProcess, brief_leases: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    worker, tried, is_away = process(1, gate), threading.Semaphore(0), threading.Event()
    end, write = Leases.end, Database.write

    def count(leases: Leases, held: Mapping[str, Lease]) -> None:
        if held:
            tried.release()
        end(leases, held)

    @contextmanager
    def refuse(database: Database) -> Iterator[Connection]:
        if is_away.is_set():
            raise StoreUnavailable("away")
        with write(database) as connection:
            yield connection

    monkeypatch.setattr(Leases, "end", count)
    monkeypatch.setattr(jobs_module, "_LEFT", 0.01)
    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    worker.jobs.start()
    assert gate.reached.wait(SOON)
    with monkeypatch.context() as patch:
        patch.setattr(Database, "write", refuse)
        is_away.set()
        gate.open.set()
        for _ in range(3):  # it is to be given back, and can't be
            assert tried.acquire(timeout=SOON)
        is_away.clear()
        [ended] = worker.jobs.wait([job.id], SOON)
    assert (ended.state, ended.lapses) == (Stage.DONE, 0)


def test_what_was_taken_back_elsewhere_stays_so_though_it_fails(
    shop: Workshop, process: NewProcess
) -> None:
    class Broken(Gate):
        def parse(self, *args: Any, **more: Any) -> Parsed:
            super().parse(*args, **more)
            raise ValueError("broken")

    gate = Broken()
    here, there = process(0), process(1, gate)
    there.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert gate.reached.wait(SOON)
    assert here.jobs.cancel(job.id).state is Stage.CANCELLED
    gate.open.set()
    there.settle()
    found = here.jobs.get(job.id)
    assert (found.state, found.error) == (Stage.CANCELLED, None)


def test_an_upload_that_another_process_took_meanwhile_is_not_accepted(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, worker = process(0), process(0)
    put = sender.engine.blobs.put

    def late(data: bytes) -> str:
        with shop.engine.database.write() as connection:
            connection.execute(update(jobs_table).values(lease_until=1.0))
        assert leased_queue_of(worker).take()
        return put(data)

    monkeypatch.setattr(sender.engine.blobs, "put", late)
    with pytest.raises(StoreUnavailable, match="too long"):
        sender.jobs.submit(shop.kb, [request("a", "Zebra.")])
    [job] = worker.jobs.newest(1)
    assert (job.state, job.error and job.error.kind) == (Stage.FAILED, "StoreUnavailable")


def test_what_a_process_has_accepted_and_not_received_is_not_taken_by_itself(
    shop: Workshop, process: NewProcess
) -> None:
    sender = process(1)
    queue = leased_queue_of(sender)
    coming = [queued(shop.kb, "a", "d"), queued(shop.kb, "b", "e")]
    queue.accept([(job, request(job.id, "Zebra.").source) for job in coming])
    with shop.engine.database.write() as connection:
        connection.execute(update(jobs_table).values(lease_until=1.0))
    assert queue._next() is None
    assert leased_queue_of(process(1)).take() == coming[0].id


def test_what_cannot_be_told_to_have_been_received_is_not_accepted(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, worker = process(), process()

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(sender.jobs._store, "receive", away)
        with pytest.raises(StoreUnavailable, match="away"):
            sender.jobs.submit(shop.kb, [request("a", "Zebra.")])
    [job] = worker.jobs.newest(1)
    assert job.state is Stage.FAILED
    assert worker.jobs.unfinished() == 0


def without_bytes(one: Process, directory: Path, blobs_url: str) -> None:
    """Let a process find no original bytes, in a directory of its own or in a place of all."""
    settings = replace(one.engine.settings, blobs_url=blobs_url)
    one.jobs._engine = replace(one.engine, settings=settings, blobs=FileBlobs(directory))


def test_what_is_gone_from_where_all_have_their_bytes_is_waited_for_by_nobody(
    shop: Workshop, process: NewProcess, tmp_path: Path
) -> None:
    here, there = process(), process()
    without_bytes(there, tmp_path / "bare", "s3://bucket")
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    there.jobs.start()
    [ended] = there.jobs.wait([job.id], SOON)
    assert (ended.state, ended.error and ended.error.kind) == (Stage.FAILED, "DataLost")


def lapse(engine: Engine, times: int, job: Job) -> None:
    """Let as many processes end over a job that waits."""
    gone = Leases(engine.database, lasts=-1.0)
    others = {one.id for one in JobStore(engine.database).unfinished()} - {job.id}
    for _ in range(times):
        taken = gone.take(others)
        assert taken
        assert not taken.alone or gone.begin(taken.job_id, taken.lease)


def test_a_job_that_ended_many_processes_ends_no_more(shop: Workshop, process: NewProcess) -> None:
    worker = process(1)
    deadly, after = worker.jobs.submit(
        shop.kb, [request("deadly", "Zebra."), request("after", "Lion.")]
    )
    lapse(worker.engine, 5, deadly)
    worker.jobs.start()
    assert finished(worker.jobs, deadly, after) == [Stage.FAILED, Stage.DONE]
    error = worker.jobs.get(deadly.id).error
    assert error and (error.kind, "5 processes ended" in error.message) == ("ProcessesEnded", True)
    assert worker.parser.calls == 1


class Watching(CountingParser):
    """Notes how many jobs are at work while it parses, for long enough that others could begin."""

    jobs: Jobs

    def __init__(self) -> None:
        super().__init__()
        self.at_work: dict[str, int] = {}

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        until, most = time.monotonic() + BRIEF, 0
        while time.monotonic() < until and most < 2:
            most = max(most, len(self.jobs.at_work()))
            time.sleep(0.01)
        self.at_work[data.decode()] = most
        return super().parse(data, name, media_type, go_on)


def test_neighbours_of_what_ends_processes_are_done_one_at_a_time(
    shop: Workshop, process: NewProcess
) -> None:
    parser = Watching()
    worker = process(3, parser)
    parser.jobs = worker.jobs
    texts = ["deadly", "neighbour", "another", "one", "two", "three"]
    accepted = worker.jobs.submit(shop.kb, [request(text, text) for text in texts])
    for times, job in zip((5, 2, 4), accepted, strict=False):
        lapse(worker.engine, times, job)
    worker.jobs.start()
    assert finished(worker.jobs, *accepted) == [Stage.FAILED, *[Stage.DONE] * 5]
    assert (parser.at_work["neighbour"], parser.at_work["another"]) == (1, 1)
    assert max(parser.at_work.values()) > 1


def test_who_is_to_work_on_a_job_alone_takes_nothing_more_while_others_go_on(
    shop: Workshop, process: NewProcess
) -> None:
    gate = Gate()
    here, there = process(2, gate), process(2)
    queue = leased_queue_of(here)
    before, alone = here.jobs.submit(
        shop.kb, [request("before", "Giraffe."), request("alone", "Zebra.")]
    )
    lapse(here.engine, 2, alone)
    here.jobs.start()
    assert gate.reached.wait(SOON)
    soon(lambda: alone.id in queue._held)
    after = here.jobs.submit(shop.kb, [request(str(n), f"Lion {n}.") for n in range(5)])
    there.jobs.start()
    assert finished(there.jobs, *after) == [Stage.DONE] * 5
    assert (there.parser.calls, gate.calls) == (5, 0)
    assert here.jobs.get(alone.id).state is Stage.QUEUED
    gate.open.set()
    assert finished(here.jobs, before, alone) == [Stage.DONE] * 2
    assert gate.calls == 2


def test_a_process_that_closes_leaves_what_it_was_to_work_on_alone_to_the_others(
    shop: Workshop, process: NewProcess
) -> None:
    gate = Gate()
    closing = process(2, gate)
    queue = leased_queue_of(closing)
    accepted = closing.jobs.submit(
        shop.kb, [request("before", "Giraffe."), request("alone", "Zebra.")]
    )
    lapse(closing.engine, 2, accepted[1])
    closing.jobs.start()
    soon(lambda: accepted[1].id in queue._held)
    closing.jobs.stop()
    gate.open.set()
    closing.jobs.close()
    leases = Leases(shop.engine.database)
    taken = [leases.take(), leases.take()]
    assert {one.job_id for one in taken if one} == {job.id for job in accepted}


def test_what_is_taken_back_while_it_waits_to_be_worked_on_alone_holds_nothing_up(
    shop: Workshop, process: NewProcess
) -> None:
    gate = Gate()
    here, there = process(2, gate), process(0)
    queue = leased_queue_of(here)
    before, here_back, there_back, after = here.jobs.submit(
        shop.kb, [request(key, f"Zebra {key}.") for key in ("a", "b", "c", "d")]
    )
    lapse(here.engine, 2, here_back)
    lapse(here.engine, 2, there_back)
    here.jobs.start()
    assert gate.reached.wait(SOON)
    soon(lambda: here_back.id in queue._held)
    here.jobs.cancel(here_back.id)
    soon(lambda: there_back.id in queue._held)
    there.jobs.cancel(there_back.id)
    gate.open.set()
    states = finished(here.jobs, before, here_back, there_back, after)
    assert states == [Stage.DONE, Stage.CANCELLED, Stage.CANCELLED, Stage.DONE]


def test_a_job_is_left_to_a_process_that_has_its_bytes(
    shop: Workshop, process: NewProcess, tmp_path: Path
) -> None:
    here, elsewhere = process(), process()
    without_bytes(elsewhere, tmp_path / "bare", "")
    elsewhere.jobs.start()
    [job] = here.jobs.submit(shop.kb, [request("a", "Zebra.")])
    while job.id not in elsewhere.jobs._queue._declined:  # type: ignore[attr-defined]
        here.jobs.wait([job.id], 0.05)
    here.jobs.start()
    assert finished(here.jobs, job) == [Stage.DONE]
    assert here.parser.calls == 1


def test_without_the_catalogue_they_wait_for_it(
    shop: Workshop, process: NewProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    take = Leases.take

    def fail_once(self: Leases, *args: object) -> object:
        if not failed.is_set():
            failed.set()
            raise StoreUnavailable("away")
        return take(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Leases, "take", fail_once)
    worker = process()
    worker.jobs.start()
    [job] = worker.jobs.submit(shop.kb, [request("a", "Zebra.")])
    assert finished(worker.jobs, job) == [Stage.DONE]
    assert failed.is_set()
