"""Two servers over one catalogue: what one is told holds at the other."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.keyring import GUESSES
from retrieval.errors import StoreUnavailable
from tests.api.another_client import beside, service_of
from tests.api.held_backend import HeldBackend
from tests.api.keyholders import MakeKey, at_once, engine_of, make_key
from tests.api.looks import Looks
from tests.api.replies import assert_problem, events_of
from tests.catalogues import on_postgres

__all__ = ["at_once", "make_key"]

pytestmark = on_postgres


@pytest.fixture
def backend() -> HeldBackend:
    return HeldBackend()


@pytest.fixture
def asked(client: TestClient) -> TestClient:
    """A client of a process that works on nothing."""
    service_of(client).jobs._queue.stop()
    return client


@pytest.fixture
def working(asked: TestClient, tmp_path: Path, backend: HeldBackend) -> Iterator[TestClient]:
    """A client of one that works on everything, on one at a time."""
    with beside(asked, tmp_path / "working", backend, ingest_workers=1) as another:
        yield another


@pytest.fixture
def other(client: TestClient, tmp_path: Path) -> Iterator[TestClient]:
    with beside(client, tmp_path / "other") as another:
        yield another


def test_a_key_is_used_no_more_often_by_asking_another(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key(rate=5)
    asked = [(client, other)[n % 2].get("/kb", headers=shows) for n in range(8)]
    assert [reply.status_code for reply in asked] == [200] * 5 + [429] * 3
    assert 0 < int(asked[-1].headers["retry-after"]) <= 61


def test_keys_are_guessed_no_more_often_by_asking_another(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    make_key()
    guessed = [
        (client, other)[n % 2].get("/kb", headers={"Authorization": f"Bearer fn_{n}_x"})
        for n in range(GUESSES + 2)
    ]
    assert [reply.status_code for reply in guessed] == [401] * GUESSES + [429] * 2


def test_a_key_that_is_revoked_here_opens_nothing_there(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    key, shows = make_key()
    assert other.get("/kb", headers=shows).status_code == 200
    engine_of(client).keys.revoke(key.id)
    assert_problem(other.get("/kb", headers=shows), 401, "revoked")


def test_who_signed_in_here_is_known_there_until_they_leave(
    client: TestClient, other: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key()
    token = shows["Authorization"].removeprefix("Bearer ")
    client.base_url, other.base_url = "http://localhost:8080", "http://localhost:8081"
    client.post("/session", json={"key": token}).raise_for_status()
    other.cookies.update(client.cookies)
    assert other.get("/session").json()["key"] is not None
    other.delete("/session").raise_for_status()
    assert client.get("/kb").status_code == 401


def send(client: TestClient, *texts: str, wait: bool = False) -> list[dict[str, Any]]:
    body = {"documents": [{"text": text, "uri": text} for text in texts]}
    reply = client.post("/kb/kb/documents", params={"wait": wait}, json=body).raise_for_status()
    jobs: list[dict[str, Any]] = reply.json()["jobs"]
    return jobs


def test_who_waits_here_waits_for_what_is_done_there(
    asked: TestClient, working: TestClient
) -> None:
    jobs = send(asked, "tea", "coffee", wait=True)
    assert [(job["state"], job["outcome"]) for job in jobs] == [("done", "added")] * 2


def test_a_job_that_is_worked_on_there_is_followed_here_to_its_end(
    asked: TestClient,
    working: TestClient,
    backend: HeldBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks(monkeypatch)
    [job] = send(asked, "hold")
    assert backend.reached.wait(20)
    with ThreadPoolExecutor(1) as threads:
        stream = threads.submit(asked.get, f"/jobs/{job['id']}/events")
        until(lambda: asked.get(f"/jobs/{job['id']}").json()["state"] == "embedding")
        looks.wait_for(2)
        backend.let_go.set()
        told = [data for _, data in events_of(stream.result(20).text)]
    assert "embedding" in [data["state"] for data in told]
    last = told[-1]
    assert (last["state"], last["outcome"], last["done"], last["total"]) == ("done", "added", 1, 1)


def test_a_job_that_is_worked_on_there_is_taken_back_here(
    asked: TestClient, working: TestClient, backend: HeldBackend
) -> None:
    [job] = send(asked, "hold")
    assert backend.reached.wait(20)
    assert asked.delete(f"/jobs/{job['id']}").json()["state"] == "cancelled"
    backend.let_go.set()
    _, last = events_of(working.get(f"/jobs/{job['id']}/events").text)[-1]
    assert last["state"] == "cancelled"
    [after] = send(asked, "after", wait=True)  # by the same thread
    assert after["state"] == "done"
    listed = working.get("/kb/kb/documents").json()["documents"]
    assert [one["uri"] for one in listed] == ["after"]


def test_the_queue_of_all_is_followed_at_one(
    asked: TestClient,
    working: TestClient,
    backend: HeldBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks(monkeypatch)
    first, second = send(asked, "hold", "waits")
    assert backend.reached.wait(20)
    with ThreadPoolExecutor(1) as threads:
        stream = threads.submit(asked.get, "/jobs/events", params={"kb": "kb"})
        looks.wait_for(1)
        backend.let_go.set()
        [third] = send(working, "later", wait=True)
        looks.wait_for(2)
        working.delete("/kb/kb").raise_for_status()
        (begin, queue), *moves = events_of(stream.result(20).text)
    assert begin == "queue"
    assert [job["id"] for job in queue["jobs"]] == [second["id"], first["id"]]
    last = {data["id"]: data["state"] for name, data in moves if name == "job"}
    assert last == {job["id"]: "done" for job in (first, second, third)}
    assert [data for name, data in moves if name == "counts"][-1] == {"done": 3}
    assert moves[-1] == ("gone", {"knowledge_base": "kb"})


def test_who_follows_a_job_is_told_that_the_catalogue_is_away(
    asked: TestClient, working: TestClient, backend: HeldBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    [job] = send(asked, "hold")
    assert backend.reached.wait(20)
    jobs, first = service_of(asked).jobs, threading.Event()
    get = jobs.get

    def away(job_id: str) -> Any:
        if first.is_set():
            raise StoreUnavailable("away")
        first.set()
        return get(job_id)

    monkeypatch.setattr(jobs, "get", away)
    name, told = events_of(asked.get(f"/jobs/{job['id']}/events").text)[-1]
    assert (name, told["status"]) == ("error", 503)
    backend.let_go.set()


def until(held: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not held():
        assert time.monotonic() < deadline
        time.sleep(0.02)
