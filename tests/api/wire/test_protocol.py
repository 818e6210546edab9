"""Names, bodies and methods that are wrong, on the stand-in: the texts are Ollama's own."""

import json
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.standin.server import create_standin

HERE = "http://localhost"
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_standin(), HERE)


def error(reply: Response) -> Any:
    assert reply.headers["content-type"].startswith("application/json")
    return reply.json()["error"]


NAMES: list[tuple[str, dict[str, Any], int, str]] = [
    ("POST /api/generate", {}, 404, "model '' not found"),
    ("POST /api/generate", {"model": "a b"}, 400, "invalid model name"),
    ("POST /api/generate", {"model": "nope", "prompt": "x"}, 404, "model 'nope' not found"),
    ("POST /api/chat", {}, 400, "model is required"),
    ("POST /api/chat", {"model": "a b"}, 400, "invalid model name"),
    ("POST /api/chat", {"model": "nope:7b"}, 404, "model 'nope:7b' not found"),
    ("POST /api/embed", {}, 404, "model '' not found"),
    ("POST /api/embed", {"model": "nope"}, 404, 'model "nope" not found, try pulling it first'),
    ("POST /api/embed", {"model": "nope", "input": 5}, 400, "invalid input type"),
    ("POST /api/embeddings", {}, 400, "model is required"),
    ("POST /api/show", {}, 400, "model is required"),
    ("POST /api/show", {"name": "nope"}, 404, "model 'nope:latest' not found"),
    ("DELETE /api/delete", {"model": "a b"}, 400, 'name "a b" is invalid'),
    ("DELETE /api/delete", {"model": "nope"}, 404, "model 'nope' not found"),
    ("POST /api/copy", {}, 400, 'source "" is invalid'),
    (
        "POST /api/copy",
        {"source": "tiny", "destination": "a b"},
        400,
        'destination "a b" is invalid',
    ),
    ("POST /api/copy", {"source": "nope", "destination": "x"}, 404, 'model "nope" not found'),
    ("POST /api/create", {}, 400, "invalid model name"),
    ("POST /api/create", {"model": "x"}, 400, "neither 'from' or 'files' was specified"),
    (
        "POST /api/create",
        {"model": "x", "files": {"/a": "sha256:0"}},
        400,
        "file path must be relative",
    ),
    ("POST /api/pull", {"model": "a b"}, 400, "invalid model name"),
    ("POST /api/push", {}, 400, "model is required"),
    (
        "POST /api/chat",
        {"model": "all-minilm", "messages": HI},
        400,
        '"all-minilm" does not support chat',
    ),
    (
        "POST /api/generate",
        {"model": "all-minilm", "prompt": "x"},
        400,
        '"all-minilm" does not support generate',
    ),
    (
        "POST /api/embed",
        {"model": "tiny", "input": "x"},
        501,
        "This server does not support embeddings. Start it with `--embeddings`",
    ),
    (
        "POST /api/chat",
        {"model": "tiny", "messages": HI, "think": True},
        400,
        '"tiny" does not support thinking',
    ),
    (
        "POST /api/chat",
        {"model": "tiny", "messages": HI, "tools": [{}]},
        400,
        "registry.ollama.ai/library/tiny:latest does not support tools",
    ),
    (
        "POST /api/chat",
        {"model": "tiny", "messages": HI, "options": {"seed": "x"}},
        500,
        'option "seed" must be of type integer',
    ),
    (
        "POST /api/chat",
        {"model": "tiny", "messages": HI, "options": {"stop": "x"}},
        500,
        'option "stop" must be of type array',
    ),
    (
        "POST /api/chat",
        {"model": "a:cloud:local"},
        400,
        'use either :local or :cloud, not both: "a:cloud:local"',
    ),
    (
        "POST /api/chat",
        {"model": "big:cloud", "messages": HI},
        403,
        "ollama cloud is disabled: remote model is unavailable",
    ),
    (
        "POST /api/generate",
        {"model": "tiny", "prompt": "x", "raw": True, "system": "y"},
        400,
        "raw mode does not support template, system, or context",
    ),
]


@pytest.mark.parametrize(("call", "body", "status", "text"), NAMES)
def test_what_is_refused(
    client: TestClient, call: str, body: dict[str, Any], status: int, text: str
) -> None:
    method, path = call.split()
    reply = client.request(method, path, json=body)
    assert (reply.status_code, error(reply)) == (status, text)


def test_the_compatible_protocols_have_errors_of_their_own(client: TestClient) -> None:
    reply = client.post("/v1/chat/completions", json={"model": "nope", "messages": HI})
    assert reply.content.endswith(b"\n")
    assert error(reply) == {
        "message": "model 'nope' not found",
        "type": "not_found_error",
        "param": None,
        "code": None,
    }
    early = client.post("/v1/completions", content=b"")
    assert early.status_code == 400 and error(early)["message"] == "EOF"
    other = client.post("/v1/messages", json={"model": "nope", "messages": HI, "max_tokens": 1})
    assert other.status_code == 404 and other.json()["request_id"].startswith("req_")
    assert error(other) == {"type": "not_found_error", "message": "model 'nope' not found"}


@pytest.mark.parametrize(
    ("call", "status", "allow", "text"),
    [
        ("GET /api/chat", 405, "POST", "405 method not allowed"),
        ("POST /api/tags", 405, "HEAD, GET", "405 method not allowed"),
        ("HEAD /api/ps", 405, "GET", ""),
        ("POST /api/nope", 404, None, "404 page not found"),
        ("GET /v1/nope", 404, None, "404 page not found"),
    ],
)
def test_paths_and_methods_that_are_not_there(
    client: TestClient, call: str, status: int, allow: str | None, text: str
) -> None:
    method, path = call.split()
    reply = client.request(method, path)
    assert (reply.status_code, reply.headers.get("allow")) == (status, allow)
    assert reply.headers["content-type"] == "text/plain"
    assert reply.text == ("" if method == "HEAD" else text)


@pytest.mark.parametrize(
    ("call", "status", "location"),
    [
        ("GET /api/tags/", 301, "/api/tags"),
        ("POST /api/chat/", 307, "/api/chat"),
        ("POST //api/chat", 301, "/api/chat"),
    ],
)
def test_slashes_too_many(client: TestClient, call: str, status: int, location: str) -> None:
    method, path = call.split()
    reply = client.request(method, f"{HERE}{path}", follow_redirects=False)
    assert (reply.status_code, reply.headers["location"]) == (status, location)


def test_a_model_that_thinks_does_so_first(client: TestClient) -> None:
    body = {"model": "tiny-think", "messages": HI}
    lines = [json.loads(x) for x in client.post("/api/chat", json=body).text.splitlines()]
    assert lines[0]["message"] == {"role": "assistant", "content": "", "thinking": "Let me think. "}
    quiet = client.post("/api/chat", json={**body, "think": False, "stream": False}).json()
    assert quiet["message"] == {"role": "assistant", "content": "You said: hi"}
    blocks = client.post("/v1/messages", json={**body, "max_tokens": 50}).json()["content"]
    assert [block["type"] for block in blocks] == ["thinking", "text"]


def test_an_answer_that_is_cut_says_so_in_every_protocol(client: TestClient) -> None:
    chat = {"model": "tiny", "messages": HI, "max_tokens": 1}
    cut = client.post("/v1/chat/completions", json=chat).json()
    assert cut["choices"][0]["finish_reason"] == "length"
    assert client.post("/v1/messages", json=chat).json()["stop_reason"] == "max_tokens"
    body = {"model": "tiny", "prompt": "hi", "options": {"num_predict": 1}, "stream": False}
    assert client.post("/api/generate", json=body).json()["done_reason"] == "length"


def test_a_copy_is_there_until_it_is_deleted(client: TestClient) -> None:
    names = {"source": "tiny", "destination": "other"}
    assert client.post("/api/copy", json=names).content == b""
    listed = [model["name"] for model in client.get("/api/tags").json()["models"]]
    assert "other:latest" in listed
    assert client.request("DELETE", "/api/delete", json={"name": "other"}).status_code == 200
    assert client.post("/api/show", json={"model": "other"}).status_code == 404
