"""What a server before an Ollama server answers itself, and what it passes on."""

import hashlib
import http.client
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.app import create_app
from api.settings import Settings
from api.standin.catalogue import default_models
from api.standin.faults import DIED, Fault, Kind
from api.standin.server import create_standin, running
from api.wire.models import Completion
from retrieval.embedding.hashing import HashingBackend
from tests.upstream import answering, speaking

ASKED = {"messages": [{"role": "user", "content": "hi 中文 \u2028 <b> & more"}]}
Start = Callable[..., httpx.Client]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server before `upstream`, and gives a client of it."""
    with ExitStack() as stack:

        def started(upstream: str = "", **settings: Any) -> httpx.Client:
            chosen = Settings(data=tmp_path / "data", ollama_host=upstream, **settings)
            app = create_app(chosen, HashingBackend())
            url = stack.enter_context(running(app, settings.get("port", 0)))
            client = httpx.Client(base_url=url, timeout=30, trust_env=False)
            stack.enter_context(client)
            client.put("/kb/docs").raise_for_status()
            return client

        yield started


def chat(client: httpx.Client, model: str = "tiny", **more: Any) -> httpx.Response:
    return client.post("/api/chat", json={"model": model, **ASKED, **more})


def without_times(body: bytes) -> list[Any]:
    lines = [json.loads(line) for line in body.split(b"\n") if line]
    return [{key: value for key, value in one.items() if key != "created_at"} for one in lines]


def test_a_stream_is_passed_on_byte_for_byte(start: Start) -> None:
    plan: list[Fault] = []
    with running(create_standin(plan=plan)) as upstream:
        client = start(upstream)
        direct = httpx.post(
            f"{upstream}/api/chat", json={"model": "tiny", **ASKED}, trust_env=False
        )
        for fault in (None, Fault(Kind.BYTEWISE, "/api/chat")):
            plan[:] = [fault] if fault else []
            through = chat(client)
            assert without_times(through.content) == without_times(direct.content)
            assert b"\\u2028" in through.content and b"\\u003cb\\u003e" in through.content
            assert through.headers["content-type"] == direct.headers["content-type"]
        assert chat(client, "nope").json() == {"error": "model 'nope' not found"}
        assert client.get("/api/nope").text == "404 page not found"
        assert client.post("/api/chat", content=b"{bad").status_code == 400


def test_errors_and_broken_streams_are_passed_on(start: Start) -> None:
    plan: list[Fault] = []
    with running(create_standin(plan=plan)) as upstream:
        client = start(upstream)
        plan.append(Fault(Kind.REFUSED, "/api/chat", text="server busy"))
        assert (chat(client).status_code, plan[0].times) == (503, 0)
        plan.append(Fault(Kind.ERROR_LINE, "/api/chat", after=2))
        lines = without_times(chat(client).content)
        assert len(lines) == 3 and lines[-1] == {"error": DIED}
        plan.append(Fault(Kind.BROKEN, "/api/chat", after=2))
        with pytest.raises(httpx.RemoteProtocolError):
            chat(client)
        plan.append(Fault(Kind.UNFINISHED, "/api/chat", after=2))
        assert not any(line["done"] for line in without_times(chat(client).content))
        assert chat(client).status_code == 200  # and afterwards all is well


def test_an_upstream_that_is_not_there(start: Start) -> None:
    client = start("127.0.0.1:1")
    reply = chat(client)
    assert reply.status_code == 502
    assert "http://127.0.0.1:1 can't be reached" in reply.json()["error"]
    problem = client.post("/v1/chat/completions", json={"model": "x", **ASKED})
    assert problem.status_code == 502 and "can't be reached" in problem.json()["error"]["message"]
    names = [model["name"] for model in client.get("/api/tags").json()["models"]]
    assert set(names) == {"kb/docs:latest", "hashing:latest"}  # ours are there all the same
    assert client.get("/api/ps").json() == {"models": []}
    for model in ("kb/docs", "kb/docs:extractive"):
        assert chat(client, model, stream=False).status_code == 200
    assert chat(client, "kb/docs:tiny").status_code == 502


def test_an_upstream_that_is_this_server_itself(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = start(f"127.0.0.1:{port}", port=port)
    reply = chat(client)
    assert reply.status_code == 508
    assert "leads back to this server" in reply.json()["error"]
    names = [model["name"] for model in client.get("/api/tags").json()["models"]]
    assert len(names) == len(set(names)) == 2


def test_what_is_private_between_client_and_server_stays_there(start: Start) -> None:
    seen: list[dict[str, str]] = []

    def script(_completion: Completion) -> str:
        return "ok"

    async def recording(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            seen.append({k.decode(): v.decode() for k, v in scope["headers"]})
        await standin(scope, receive, send)

    standin = create_standin(default_models(script))
    with running(recording) as upstream:
        client = start(upstream, ollama_api_key="upstream-key")
        headers = {"Authorization": "Bearer ours", "Cookie": "a=b", "X-Other": "kept"}
        client.post("/api/chat", json={"model": "tiny", **ASKED}, headers=headers)
    last = seen[-1]
    assert last["authorization"] == "Bearer upstream-key"
    assert "cookie" not in last and last["x-other"] == "kept"
    assert last["host"] == urlsplit(upstream).netloc
    assert last["via"] == "1.1 footnote"


def test_a_client_that_leaves_ends_the_upstream_s_work(start: Start) -> None:
    left = threading.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}\n", "more_body": True})
        await receive()
        left.set()

    with running(endless) as upstream:
        client = start(upstream)
        body = {"model": "tiny", **ASKED}
        with client.stream("POST", "/api/chat", json=body) as reply:
            assert next(reply.iter_raw()) == b"{}\n"
        assert left.wait(10)


def test_lists_are_merged_and_ours_come_first(start: Start) -> None:
    with running(create_standin()) as upstream:
        client = start(upstream)
        names = [model["name"] for model in client.get("/api/tags").json()["models"]]
        assert set(names[:2]) == {"hashing:latest", "kb/docs:latest"}
        assert "tiny:latest" in names
        client.post("/api/embed", json={"model": "hashing", "input": "x"})
        chat(client, stream=False)
        running_names = [model["name"] for model in client.get("/api/ps").json()["models"]]
        assert {"hashing:latest", "tiny:latest"} <= set(running_names)
        ids = [model["id"] for model in client.get("/v1/models").json()["data"]]
        assert set(names) == set(ids)


def test_blobs_are_passed_on_beyond_the_limit_of_bodies(start: Start) -> None:
    data = b"x" * 50_000
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    with running(create_standin()) as upstream:
        client = start(upstream, max_upload_bytes=10_000)
        assert client.head(f"/api/blobs/{digest}").status_code == 404
        assert client.post(f"/api/blobs/{digest}", content=data).status_code == 201
        assert client.head(f"/api/blobs/{digest}").status_code == 200
        long = chat(client, options={"stop": ["x" * 20_000]})
        assert long.status_code == 413 and "10,000 bytes" in long.json()["error"]


@pytest.mark.parametrize("upstream", [False, True])
def test_a_body_that_is_too_large(start: Start, upstream: bool) -> None:
    with running(create_standin()) as url:
        client = start(url if upstream else "", max_upload_bytes=10_000)
        body = {"model": "hashing", "input": "x" * 20_000}
        reply = client.post("/api/embed", json=body)
        assert (reply.status_code, list(reply.json())) == (413, ["error"])
        problem = client.post("/v1/embeddings", json=body)
        assert problem.status_code == 413 and "message" in problem.json()["error"]


def raw(client: httpx.Client, host: str, origin: str = "") -> int:
    place = urlsplit(str(client.base_url))
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
    headers = {"Host": host, **({"Origin": origin} if origin else {})}
    connection.request("GET", "/api/version", headers=headers)
    try:
        return connection.getresponse().status
    finally:
        connection.close()


def test_who_is_let_in(start: Start) -> None:
    client = start(allowed_hosts="docs.example.com")
    for host in ("localhost:1", "127.0.0.1", "192.168.1.5:11434", "box.local", "docs.example.com"):
        assert raw(client, host) == 200, host
    for host in ("evil.com", "8.8.8.8", "", "a b"):
        assert raw(client, host) in (400, 403), host
    for origin in ("http://localhost:3000", "app://x", "http://127.0.0.1:1"):
        assert raw(client, "localhost", origin) == 200, origin
    for origin in ("http://evil.com", "null", "http://localhost.evil.com"):
        assert raw(client, "localhost", origin) == 403, origin


def test_a_client_that_leaves_gives_its_place_to_others(start: Start) -> None:
    client = start()
    url = urlsplit(str(client.base_url))
    for _ in range(20):
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        body = json.dumps({"model": "hashing", "input": ["word " * 200] * 500})
        connection.request("POST", "/api/embed", body)
        connection.close()
    began = time.monotonic()
    assert len(client.post("/api/embed", json={"model": "hashing", "input": "x"}).json()) > 1
    assert time.monotonic() - began < 20


def test_an_error_of_ours_is_told_as_the_protocol_tells_errors(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = start()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("api.ollama.knowledge_base._question", broken)
    reply = chat(client, "kb/docs")
    assert reply.status_code == 500
    assert "log has the details" in reply.json()["error"] and "secret" not in reply.text
    problem = client.post("/v1/chat/completions", json={"model": "kb/docs", **ASKED})
    assert problem.json()["error"]["type"] == "api_error"


@pytest.mark.parametrize(
    "listed",
    [
        b'{"models":5}',
        b'{"models":true}',
        b'{"models":[{"name":["x"]}]}',
        b'{"models":[{"name":"a\\ud800"}]}',
        b'{"models":[{"name":"a","details":{"x":' + b"[" * 400 + b"]" * 400 + b"}}]}",
        b'{"models":[{"x":1}]}',
        b"[" * 200_000,
        b"5",
    ],
)
def test_a_list_of_models_that_is_none_leaves_ours(start: Start, listed: bytes) -> None:
    with running(answering(lambda _: Response(listed))) as upstream:
        client = start(upstream)
        ours = {"kb/docs:latest", "hashing:latest"}
        assert {one["name"] for one in client.get("/api/tags").json()["models"]} == ours
        assert {one["id"] for one in client.get("/v1/models").json()["data"]} == ours
        assert client.get("/api/ps").json() == {"models": []}


@pytest.mark.parametrize(
    ("said", "endlessly"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b" "),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 1_000_000),
    ],
)
def test_a_list_of_models_that_never_ends_is_not_waited_for(
    start: Start, monkeypatch: pytest.MonkeyPatch, said: bytes, endlessly: bytes
) -> None:
    monkeypatch.setattr("api.ollama.passing._LISTING", 0.5)
    with speaking(said, endlessly) as upstream:
        client = start(upstream)
        began = time.monotonic()
        assert len(client.get("/api/tags").json()["models"]) == 2
        assert len(client.get("/v1/models").json()["data"]) == 2
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("said", [b'{"message":5,"done":true}', b'{"error":"a\\ud800"}'])
def test_a_knowledge_base_whose_chat_model_says_what_is_no_answer(
    start: Start, said: bytes
) -> None:
    replies = {"/api/chat": said, "/api/tags": b'{"models":[{"name":"tiny:latest"}]}'}

    def answer(request: Request) -> Response:
        return Response(replies.get(request.url.path, b"{}"))

    with running(answering(answer)) as upstream:
        client = start(upstream)
        body = {"text": "The zebra is grey.", "uri": "zebra"}
        client.post("/kb/docs/documents?wait=true", json=body).raise_for_status()
        asked = {"messages": [{"role": "user", "content": "What colour is the zebra?"}]}
        for path in ("/api/chat", "/v1/chat/completions"):
            reply = client.post(path, json={"model": "kb/docs:tiny", "stream": False, **asked})
            assert reply.status_code == 502


def test_an_upstream_that_repeats_its_key_does_not_give_it_away(start: Start) -> None:
    said = json.dumps({"error": "bad key Bearer SECRET123; SECRET-bad key"}).encode()

    async def piecewise() -> AsyncIterator[bytes]:
        for byte in said:
            yield bytes([byte])

    def answer(request: Request) -> Response:
        return StreamingResponse(piecewise(), 400) if request.url.path[-1] == "t" else listing

    listing = Response(b'{"models":[{"name":"SECRET123"}]}')
    blotted = "bad key Bearer *********; SECRET-bad key"
    with running(answering(answer)) as upstream:
        client = start(upstream, ollama_api_key="SECRET123", chat_model="tiny")
        reply = chat(client)
        assert (reply.status_code, reply.json()) == (400, {"error": blotted})
        body = {"text": "The zebra is grey.", "uri": "zebra"}
        client.post("/kb/docs/documents?wait=true", json=body).raise_for_status()
        asked = client.post("/kb/docs/ask", json={"question": "What colour is the zebra?"})
        assert asked.status_code == 502 and "SECRET123" not in asked.text
        assert "SECRET123" in client.get("/api/tags").text  # what is no error stays as it is


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"HTTP/1.1 600 Odd\r\nContent-Length: 2\r\n\r\n{}", "answers with 600, no status"),
        (b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\n{}", "answers with 999, no status"),
        (
            b"HTTP/1.1 101 Odd\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "answers what isn't HTTP",
        ),
        (b"\x00\xff\xfe garbage\r\n\r\n", "answers what isn't HTTP: illegal status line"),
        (b"", "answers what isn't HTTP: Server disconnected"),
    ],
)
def test_an_upstream_that_does_not_speak_http(start: Start, said: bytes, why: str) -> None:
    with speaking(said) as upstream:
        reply = chat(start(upstream))
        assert reply.status_code == 502
        assert f"the Ollama server at {upstream} {why}" in reply.json()["error"]


def test_a_length_beside_chunks_is_not_passed_on(start: Start) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nTransfer-Encoding: chunked\r\n\r\n"
    with speaking(head + b"2\r\n{}\r\n0\r\n\r\n") as upstream:
        assert chat(start(upstream)).json() == {}
