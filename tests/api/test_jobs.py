import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from starlette.testclient import TestClient

from ingest.job_store import Job
from ingest.jobs import Jobs
from tests.api.conftest import OpenClient
from tests.api.held_backend import HeldBackend
from tests.api.looks import Looks
from tests.api.replies import assert_problem, events_of
from tests.catalogues import on_sqlite


@pytest.fixture
def backend() -> HeldBackend:
    return HeldBackend()


@pytest.fixture
def held(open_client: OpenClient, backend: HeldBackend) -> TestClient:
    """A client whose one ingesting thread is in the middle of the job `hold`."""
    client = open_client(backend, ingest_workers=1)
    client.put("/kb/kb").raise_for_status()
    return client


def _send(client: TestClient, *texts: str) -> list[str]:
    body = {"documents": [{"text": text, "uri": text} for text in texts]}
    jobs = client.post("/kb/kb/documents", json=body).raise_for_status().json()["jobs"]
    return [job["id"] for job in jobs]


def _follow(client: TestClient, job_id: str) -> list[dict[str, Any]]:
    reply = client.get(f"/jobs/{job_id}/events")
    assert reply.headers["content-type"].startswith("text/event-stream")
    events = events_of(reply.text)
    assert {name for name, _ in events} == {"job"}
    return [data for _, data in events]


def test_a_job_moves_to_done_and_no_event_repeats(held: TestClient, backend: HeldBackend) -> None:
    (job,) = _send(held, "hold 🍵")
    assert backend.reached.wait(20)
    assert held.get(f"/jobs/{job}").json()["state"] == "embedding"
    assert held.get("/info").json()["jobs_unfinished"] == 1
    backend.let_go.set()
    events = _follow(held, job)
    assert (events[-1]["state"], events[-1]["outcome"]) == ("done", "added")
    assert events[-1]["done"] == events[-1]["total"] == 1
    assert all(one != other for one, other in pairwise(events))
    assert _follow(held, job) == events[-1:]


def test_a_job_that_waits_is_taken_back_at_once(held: TestClient, backend: HeldBackend) -> None:
    first, second = _send(held, "hold", "waits")
    assert backend.reached.wait(20)
    assert held.delete(f"/jobs/{second}").json()["state"] == "cancelled"
    assert [event["state"] for event in _follow(held, second)] == ["cancelled"]
    backend.let_go.set()
    assert _follow(held, first)[-1]["state"] == "done"
    assert [d["uri"] for d in held.get("/kb/kb/documents").json()["documents"]] == ["hold"]


def test_a_job_at_work_stops_and_leaves_no_document(held: TestClient, backend: HeldBackend) -> None:
    (job,) = _send(held, "hold")
    assert backend.reached.wait(20)
    held.delete(f"/jobs/{job}").raise_for_status()
    backend.let_go.set()
    assert _follow(held, job)[-1]["state"] == "cancelled"
    assert held.get("/kb/kb/documents").json()["total"] == 0


def test_a_final_job_stays_as_it_is(held: TestClient) -> None:
    (job,) = _send(held, "a text")
    done = _follow(held, job)[-1]
    assert held.delete(f"/jobs/{job}").json() == done


def test_followers_hear_that_a_knowledge_base_took_its_jobs_along(
    held: TestClient, backend: HeldBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, second = _send(held, "hold", "waits")
    assert backend.reached.wait(20)
    following = threading.Event()
    get = Jobs.get

    def watched(jobs: Jobs, job_id: str) -> Job:
        job = get(jobs, job_id)
        following.set()
        return job

    monkeypatch.setattr(Jobs, "get", watched)
    with ThreadPoolExecutor(1) as threads:
        heard = threads.submit(_follow, held, second)
        assert following.wait(20)
        held.delete("/kb/kb").raise_for_status()
        backend.let_go.set()
        assert [event["state"] for event in heard.result(20)] == ["queued", "cancelled"]


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("GET", "/events"), ("DELETE", "")])
@pytest.mark.parametrize("job", ["none", "%00", "%F0%9F%98%80"])
def test_a_job_that_is_not_there(shared: TestClient, method: str, tail: str, job: str) -> None:
    assert_problem(shared.request(method, f"/jobs/{job}{tail}"), 404, "no job")


@on_sqlite  # where jobs are leased, a job moves once more when it is taken
def test_the_queue_is_followed_from_what_is_there_until_the_knowledge_base_is_gone(
    held: TestClient, backend: HeldBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    held.put("/kb/other").raise_for_status()
    held.post("/kb/other/documents", json={"text": "elsewhere", "uri": "other"})
    first, second = _send(held, "hold", "waits")
    assert backend.reached.wait(20)
    with ThreadPoolExecutor() as threads:
        stream = threads.submit(held.get, "/jobs/events", params={"kb": "kb"})
        looks.wait_for(1)
        (third,) = _send(held, "comes later")
        backend.let_go.set()
        _until(lambda: held.get("/info").json()["jobs_unfinished"] == 0)
        looks.wait_for(2)
        held.delete("/kb/kb").raise_for_status()
        reply = stream.result(20)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.headers["cache-control"] == "no-cache"
    (begin, queue), *moves = events_of(reply.text)
    assert begin == "queue"
    assert [job["id"] for job in queue["jobs"]] == [second, first]
    assert queue["counts"] == {"embedding": 1, "queued": 1}
    assert moves[-1] == ("gone", {"knowledge_base": "kb"})
    told = [data for name, data in moves if name == "job"]
    last = {job["id"]: job["state"] for job in told}  # and none of the other knowledge base
    assert last == {first: "done", second: "done", third: "done"}
    assert [data for name, data in moves if name == "counts"][-1] == {"done": 3}


def test_a_queue_in_which_nothing_moves_stays_open(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.jobs._HEARTBEAT", 0.0)
    client, looks = open_client(), Looks(monkeypatch)
    client.put("/kb/kb").raise_for_status()
    with ThreadPoolExecutor() as threads:
        stream = threads.submit(client.get, "/jobs/events", params={"kb": "kb"})
        looks.wait_for(2)  # at which there is nothing to tell
        client.delete("/kb/kb").raise_for_status()
        blocks = stream.result(20).text.split("\n\n")
    assert blocks[0].startswith("event: queue")
    assert ": still here" in blocks
    assert [block for block in blocks[1:] if block.startswith("event")] == [blocks[-2]]


def test_only_so_many_follow_at_once(
    open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.listeners.MAX_LISTENERS", 1)
    client = open_client()
    client.put("/kb/kb").raise_for_status()
    with ThreadPoolExecutor() as threads:
        stream = threads.submit(client.get, "/jobs/events", params={"kb": "kb"})
        _until(lambda: client.app.state.listeners.room.taken == 1)  # type: ignore[attr-defined]
        refused = client.get("/jobs/events", params={"kb": "kb"})
        assert_problem(refused, 429, "As many connections follow")
        client.delete("/kb/kb").raise_for_status()
        stream.result(20)
    assert_problem(client.get("/jobs/events", params={"kb": "kb"}), 404, "'kb'")


def test_the_queue_of_nothing_is_refused(client: TestClient) -> None:
    assert_problem(client.get("/jobs/events"), 422, "kb")
    assert_problem(client.get("/jobs/events", params={"kb": "none"}), 404, "'none'")
    assert_problem(client.get("/jobs/events", params={"kb": "kb", "limit": 0}), 422, "limit")


def _until(held: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not held():
        assert time.monotonic() < deadline
        time.sleep(0.02)
