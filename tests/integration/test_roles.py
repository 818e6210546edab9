"""Processes that serve and processes that ingest, over one catalogue, as people run them."""

import signal
import time
from pathlib import Path

import pytest

from tests.catalogues import on_postgres, url_of
from tests.integration.conftest import Server, StartServer

pytestmark = on_postgres

LONG = "".join(f"The warranty of part {n} lasts {n} months.\n\n" for n in range(10_000))
SOON = 120.0  # seconds that nothing here takes


class Cluster:
    """Processes that share a catalogue and the original bytes, each with a directory of its own."""

    def __init__(self, start: StartServer, folder: Path) -> None:
        self._start, self._folder = start, folder
        (folder / "blobs").mkdir()
        self._made = 0

    def start(self, *command: str) -> Server:
        data = self._folder / f"data-{self._made}"
        self._made += 1
        data.mkdir()
        (data / "blobs").symlink_to(self._folder / "blobs")
        return self._start(
            *command, FOOTNOTE_DATABASE_URL=url_of(self._folder), FOOTNOTE_DATA=str(data)
        )


@pytest.fixture
def cluster(start_server: StartServer, tmp_path: Path) -> Cluster:
    return Cluster(start_server, tmp_path)


def _send(server: Server, text: str) -> str:
    """The id of an accepted job."""
    reply = server.http.post("/kb/kb/documents", json={"text": text}).raise_for_status()
    [job] = reply.json()["jobs"]
    found: str = job["id"]
    return found


def _await(server: Server, job_id: str, *states: str) -> str:
    until = time.monotonic() + SOON
    while (state := server.http.get(f"/jobs/{job_id}").json()["state"]) not in states:
        assert time.monotonic() < until, state
        time.sleep(0.02)  # another process works on it
    return str(state)


@pytest.fixture
def server(cluster: Cluster) -> Server:
    """One that only serves, with a knowledge base."""
    server = cluster.start("serve", "--no-ingest")
    server.http.put("/kb/kb").raise_for_status()
    return server


def test_documents_are_sent_here_and_ingested_there(server: Server, cluster: Cluster) -> None:
    workers = [cluster.start("work"), cluster.start("work")]
    documents = [{"text": f"Part {n}.", "uri": f"part/{n}"} for n in range(40)]
    reply = server.http.post("/kb/kb/documents?wait=true", json={"documents": documents})
    assert reply.status_code == 200, reply.text
    assert {job["outcome"] for job in reply.json()["jobs"]} == {"added"}
    assert server.http.get("/kb/kb/documents").json()["total"] == 40
    for worker in workers:
        assert worker.http.get("/kb").status_code == 404
        assert worker.stop() in (0, -signal.SIGTERM)
        assert "Traceback" not in worker.log.read_text()


def test_who_is_told_to_stop_gives_its_jobs_back_at_once(server: Server, cluster: Cluster) -> None:
    worker = cluster.start("work")
    job = _send(server, LONG)
    _await(server, job, "parsing", "chunking", "embedding")
    assert worker.stop() in (0, -signal.SIGTERM)
    log = worker.log.read_text()
    assert "Application shutdown complete" in log
    assert "Traceback" not in log
    assert server.http.get(f"/jobs/{job}").json()["state"] == "queued"
    cluster.start("work")
    assert _await(server, job, "done", "failed") == "done"


@pytest.mark.slow
def test_the_jobs_of_who_is_killed_are_taken_over(server: Server, cluster: Cluster) -> None:
    killed = cluster.start("work")
    job = _send(server, LONG)
    _await(server, job, "parsing", "chunking", "embedding")
    killed.stop(signal.SIGKILL)
    other = cluster.start("work")
    assert _await(server, job, "done", "failed") == "done"
    ingested = 'footnote_ingested_documents_total{outcome="added"} 1.0'
    assert ingested in other.http.get("/metrics").text
