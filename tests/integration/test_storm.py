"""Uploads, deletions and reindexings at once, in a server that is killed in the middle of them."""

import random
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from retrieval.engine import open_engine
from retrieval.inspection import Inspection
from retrieval.settings import EngineSettings
from tests.integration.conftest import Server, StartServer

WRITERS, KILLS, SECONDS = 4, 3, 4.0

Call = Callable[..., httpx.Response]


class Writer:
    """Writes and deletes documents of its own, and knows what became of each for certain."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._random = random.Random(number)  # noqa: S311 - so that a failure comes again
        self._versions = 0
        self.ids: dict[str, str] = {}
        self.acknowledged: dict[str, str | None] = {}

    def run(self, call: Call, stop: threading.Event) -> None:
        while not stop.is_set():
            uri = f"{self._number}-{self._random.randrange(4)}"
            chance = self._random.random()
            try:
                if chance < 0.7:
                    self._write(call, uri)
                elif chance < 0.85 and uri in self.ids:
                    self._delete(call, uri)
                elif chance < 0.92:
                    tokens = self._random.choice([64, 128, 256])
                    call("POST", "/reindex", json={"chunking": {"tokens": tokens}, "force": True})
                else:
                    call("POST", "/search", json={"query": uri}).raise_for_status()
            except httpx.TransportError:
                self.acknowledged.pop(uri, None)  # killed in between: it may have been taken

    def _write(self, call: Call, uri: str) -> None:
        self._versions += 1
        words = self._random.choices(range(9999), k=self._random.choice([20, 1500]))
        text = f"{uri} version {self._versions}. " + " ".join(map(str, words))
        reply = call("POST", "/documents", json={"uri": uri, "text": text})
        assert reply.status_code == 202, reply.text
        self.ids[uri] = reply.json()["jobs"][0]["document_id"]
        self.acknowledged[uri] = text

    def _delete(self, call: Call, uri: str) -> None:
        reply = call("DELETE", f"/documents/{self.ids[uri]}")
        assert reply.status_code in (204, 404), reply.text
        self.acknowledged[uri] = None


def test_what_was_acknowledged_holds_through_a_storm(
    start_server: StartServer, tmp_path: Path
) -> None:
    writers = [Writer(number) for number in range(WRITERS)]
    server = start_server()
    server.http.put("/kb/docs").raise_for_status()
    for _ in range(KILLS):
        stop = threading.Event()

        def call(method: str, path: str, at: Server = server, **more: Any) -> httpx.Response:
            return at.http.request(method, f"/kb/docs{path}", **more)

        with ThreadPoolExecutor(WRITERS) as threads:
            working = [threads.submit(writer.run, call, stop) for writer in writers]
            time.sleep(SECONDS)
            server.process.send_signal(signal.SIGKILL)
            stop.set()
            for one in working:
                one.result(60)
        server.stop()
        server = start_server()
    _settle(server)
    failed = server.http.get("/jobs?state=failed").json()["jobs"]
    # What was still on its way when the server was killed was never acknowledged.
    assert {job["error"]["kind"] for job in failed} <= {"NotReceived"}
    for writer in writers:
        for uri, text in writer.acknowledged.items():
            reply = server.http.get(f"/kb/docs/documents/{writer.ids[uri]}/text")
            assert (reply.text if reply.status_code == 200 else None) == text
    server.stop()
    settings = EngineSettings(tmp_path / "data", "hashing")
    with open_engine(settings, mend=False) as engine:
        found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
    assert [finding for finding in found if not finding.ok] == []


def _settle(server: Server) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        counts = server.http.get("/jobs?limit=1").json()["counts"]
        reindexing = server.http.get("/kb/docs/reindex").json()["state"]
        if not set(counts) - {"done", "cancelled", "failed"} and reindexing != "building":
            return
        time.sleep(0.1)
    raise AssertionError(f"not settled: {counts}, {reindexing}")
