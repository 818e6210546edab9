"""A server that is told to stop while it answers: every stream ends as its protocol ends one."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from api.standin.catalogue import default_models
from api.standin.server import create_standin, running
from tests.integration.conftest import Server, StartServer

LONG = " ".join(f"Tea is at four on day {number} [1]." for number in range(400))
SAID = "The server is stopping"
ASKED = [{"role": "user", "content": "When is tea?"}]

# What is asked, and what the last line or event of its stream holds.
STREAMS: dict[str, tuple[str, dict[str, Any], Callable[[Any], str]]] = {
    "native": ("/kb/kb/ask", {"question": "When is tea?", "model": "tiny"}, lambda e: e["detail"]),
    "ollama": ("/api/chat", {"model": "kb/kb:tiny", "messages": ASKED}, lambda e: e["error"]),
    "openai": (
        "/v1/chat/completions",
        {"model": "kb/kb:tiny", "messages": ASKED},
        lambda e: e["error"]["message"],
    ),
    "responses": (
        "/v1/responses",
        {"model": "kb/kb:tiny", "input": "When is tea?"},
        lambda e: e["response"]["error"]["message"],
    ),
    "anthropic": (
        "/v1/messages",
        {"model": "kb/kb:tiny", "messages": ASKED, "max_tokens": 1_000},
        lambda e: e["error"]["message"],
    ),
    "passed on": ("/api/chat", {"model": "tiny", "messages": ASKED}, lambda e: e["error"]),
    "passed on, openai": (
        "/v1/chat/completions",
        {"model": "tiny", "messages": ASKED},
        lambda e: e["error"]["message"],
    ),
}


@pytest.fixture
def slow() -> Iterator[str]:
    """An Ollama server that takes its time."""
    models = default_models(script=lambda _: LONG, part_seconds=0.1)
    with running(create_standin(models)) as address:
        yield address


def _read(server: Server, path: str, body: dict[str, Any], begun: threading.Semaphore) -> str:
    """The last line of a stream that holds anything."""
    lines: list[str] = []
    with server.http.stream("POST", path, json={**body, "stream": True}) as reply:
        assert reply.status_code == 200, reply.read()
        for line in reply.iter_lines():
            if not lines:
                begun.release()
            lines.append(line)
    return next(line for line in reversed(lines) if line.strip())


def test_streams_end_with_an_error_of_their_protocol(start_server: StartServer, slow: str) -> None:
    server = start_server(OLLAMA_HOST=slow)
    server.http.put("/kb/kb", json={"min_confidence": 0}).raise_for_status()
    text = {"text": "Tea is at four in the afternoon, in the kitchen."}
    server.http.post("/kb/kb/documents?wait=true", json=text).raise_for_status()
    begun, whole = threading.Semaphore(0), {"model": "kb/kb:tiny", "messages": ASKED}
    with ThreadPoolExecutor(len(STREAMS) + 1) as threads:
        streams: dict[str, Future[str]] = {
            name: threads.submit(_read, server, path, body, begun)
            for name, (path, body, _) in STREAMS.items()
        }
        unstreamed = threads.submit(server.http.post, "/v1/chat/completions", json=whole)
        for _ in STREAMS:
            assert begun.acquire(timeout=120)
        server.process.send_signal(signal.SIGTERM)
        ends = {name: stream.result(60) for name, stream in streams.items()}
        reply = unstreamed.result(60)
    assert server.process.wait(60) in (0, -signal.SIGTERM)
    for name, (_, _, said) in STREAMS.items():
        assert SAID in said(json.loads(ends[name].removeprefix("data: "))), name
    assert reply.status_code == 503
    assert SAID in reply.json()["error"]["message"]
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "reply_broke_off" not in log


def test_an_answer_that_is_soon_whole_is_given_whole(start_server: StartServer) -> None:
    models = default_models(script=lambda _: "Tea is at four [1].", part_seconds=0.3)
    with running(create_standin(models)) as slow:
        server = start_server(OLLAMA_HOST=slow)
        begun = threading.Semaphore(0)
        path, _, _ = STREAMS["passed on"]
        with ThreadPoolExecutor(1) as threads:
            stream = threads.submit(
                _read, server, path, {"model": "tiny", "messages": ASKED}, begun
            )
            assert begun.acquire(timeout=60)
            server.process.send_signal(signal.SIGTERM)
            assert json.loads(stream.result(60))["done"] is True
    assert server.process.wait(60) in (0, -signal.SIGTERM)


def test_who_waits_for_documents_is_told_how_far_they_are(start_server: StartServer) -> None:
    server = start_server(FOOTNOTE_INGEST_WORKERS="1")
    server.http.put("/kb/kb").raise_for_status()
    long = "".join(f"Part {n} lasts {n} months.\n\n" for n in range(5_000))
    documents = [{"text": f"{n} {long}", "uri": f"part/{n}"} for n in range(40)]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(
            server.http.post, "/kb/kb/documents?wait=true", json={"documents": documents}
        )
        while not server.http.get("/info").json()["jobs_unfinished"]:
            pass
        server.process.send_signal(signal.SIGTERM)
        reply = waiting.result(60)
    assert reply.status_code == 202
    assert len(reply.json()["jobs"]) == len(documents)
    assert server.process.wait(60) in (0, -signal.SIGTERM)
