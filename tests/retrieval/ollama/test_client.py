"""The client against replies made by hand; the stand-in and the fault tests go further."""

import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.errors import (
    ModelServerBroken,
    ModelServerError,
    ModelServerRefused,
    ModelServerUnavailable,
)
from retrieval.ollama import values
from retrieval.ollama.client import OllamaClient
from retrieval.ollama.connection import Connection, Timeouts
from retrieval.ollama.retry import Retry
from retrieval.ollama.types import ChatPart, Progress, Shown
from tests.upstream import speaking

T = TypeVar("T")
Reply = httpx.Response | Exception
BODY = {"model": "m", "messages": []}

# What a reply may hold, most of it where something else belongs.
FIELDS = """
    version models name model digest size details expires_at size_vram context_length capabilities
    model_info parameters embeddings embedding prompt_eval_count message content thinking response
    tool_calls function arguments id done done_reason eval_count eval_duration status total
    general.architecture
""".split()
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["success", "llama", "num_ctx ²", "num_ctx " + "9" * 5_000]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=6,
)
REPLIES = VALUES | st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES))
CALLS: dict[str, Callable[[OllamaClient], Awaitable[Any]]] = {
    "version": lambda client: client.version(),
    "tags": lambda client: client.tags(),
    "running": lambda client: client.running(),
    "show": lambda client: client.show("m"),
    "embed": lambda client: client.embed("m", ["a"]),
    "load": lambda client: client.load("m"),
    "chat": lambda client: gathered(client.chat(BODY)),
    "generate": lambda client: gathered(client.generate(BODY)),
    "pull": lambda client: gathered(client.pull("m")),
}


class Server:
    """Answers with these replies, one after the other, the last one for ever."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.requests]


class Trickle(httpx.AsyncByteStream):
    """A body that comes byte by byte, waits for ever at its end if told to, and may break."""

    def __init__(
        self,
        data: bytes,
        broken: Exception | None = None,
        stuck: bool = False,
        pause: float | None = None,
    ) -> None:
        self.data, self.broken, self.stuck, self.pause = data, broken, stuck, pause
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for byte in self.data:
            yield bytes([byte])
            if self.pause is not None:
                await anyio.sleep(self.pause)
        if self.stuck:
            await anyio.sleep_forever()
        if self.broken:
            raise self.broken

    async def aclose(self) -> None:
        self.closed = True


def ask(
    server: Server, call: Callable[[OllamaClient], Awaitable[T]], key: str = "", attempts: int = 3
) -> T:
    async def called() -> T:
        connection = Connection(
            "box",
            key,
            Retry(attempts=attempts, first=0.0),
            Timeouts(first_byte=0.5, between=0.05, lookup=0.1),
            httpx.MockTransport(server),
        )
        async with OllamaClient(connection) as client:
            return await call(client)

    return anyio.run(called)


async def gathered(stream: AsyncGenerator[T]) -> list[T]:
    return [one async for one in stream]


def chatted(server: Server) -> list[ChatPart]:
    return ask(server, lambda client: gathered(client.chat(BODY)))


def ok(value: Any) -> httpx.Response:
    return httpx.Response(200, json=value)


def error(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error": text})


def lines(*values: Any) -> httpx.Response:
    data = b"".join(json.dumps(v, ensure_ascii=False).encode() + b"\n" for v in values)
    return httpx.Response(200, stream=Trickle(data))


SAID = {"message": {"content": "中\u2028文"}, "done": False}
DONE = {
    "message": {"content": "!"},
    "done": True,
    "done_reason": "stop",
    "eval_count": 2,
    "eval_duration": 1_000_000_000,
    "prompt_eval_count": 7,
}


def test_an_answer_in_parts() -> None:
    parts = chatted(Server(lines(SAID, DONE)))
    assert [part.content for part in parts] == ["中\u2028文", "!"]
    assert parts[0].usage is None and parts[-1].done
    assert parts[-1].usage and parts[-1].usage.tokens_per_second == 2
    assert parts[-1].usage.prompt_tokens == 7


def test_an_answer_that_ends_early_is_no_answer() -> None:
    for server in (Server(lines(SAID)), Server(httpx.Response(200, content=b""))):
        with pytest.raises(ModelServerBroken, match="broke off"):
            chatted(server)
        assert len(server.requests) == 1


def test_an_error_in_a_stream() -> None:
    with pytest.raises(ModelServerError, match="unexpected EOF"):
        chatted(Server(lines(SAID, {"error": "an error was encountered: unexpected EOF"})))
    with pytest.raises(ModelServerRefused, match="no such thing") as caught:
        chatted(Server(lines({"error": "no such thing"})))
    assert (caught.value.status, caught.value.reason) == (0, "no such thing")


def test_a_chat_is_asked_again_until_it_has_begun() -> None:
    server = Server(error(503, "busy"), httpx.ConnectError("refused"), lines(SAID, DONE))
    assert len(chatted(server)) == 2
    assert len(server.requests) == 3
    broken = httpx.Response(
        200, stream=Trickle(json.dumps(SAID).encode() + b"\n", httpx.ReadError("reset"))
    )
    server = Server(broken, lines(SAID, DONE))
    with pytest.raises(ModelServerUnavailable):
        chatted(server)
    assert len(server.requests) == 1


def test_a_model_that_says_nothing_more_is_given_up() -> None:
    stuck = Trickle(json.dumps(SAID).encode() + b"\n", stuck=True)
    with pytest.raises(ModelServerUnavailable):
        chatted(Server(httpx.Response(200, stream=stuck)))
    assert stuck.closed


def test_leaving_a_stream_closes_the_request() -> None:
    stuck = Trickle(json.dumps(SAID).encode() + b"\n", stuck=True)

    async def leave(client: OllamaClient) -> None:
        stream = client.chat(BODY)
        await anext(stream)
        await stream.aclose()

    ask(Server(httpx.Response(200, stream=stuck)), leave)
    assert stuck.closed


def test_what_changes_nothing_is_asked_again() -> None:
    server = Server(error(503, "busy"), httpx.ReadError(""), ok({"version": "0.33.0"}))
    assert ask(server, lambda client: client.version()) == "0.33.0"
    with pytest.raises(ModelServerUnavailable, match=r"OLLAMA_HOST.*tried 3 times"):
        ask(Server(httpx.ConnectError("refused")), lambda client: client.tags())


def test_our_own_mistakes_are_not_repeated() -> None:
    server = Server(error(404, "model 'm' not found"))
    with pytest.raises(ModelServerRefused, match="not found"):
        ask(server, lambda client: client.show("m"))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("told", "seconds"), [("7", 7), ("100000", 3_600), ("-1", 0), ("soon", 0), ("", 0)]
)
def test_a_server_says_how_long_to_leave_it_alone(told: str, seconds: int) -> None:
    busy = httpx.Response(503, json={"error": "busy"}, headers={"retry-after": told})
    server = Server(busy)
    with pytest.raises(ModelServerUnavailable) as failed:
        ask(server, lambda client: client.version(), attempts=2)
    assert failed.value.retry_after == seconds


def test_a_crash_is_tried_twice_only() -> None:
    server = Server(error(400, "do embedding request: EOF"))
    with pytest.raises(ModelServerUnavailable):
        ask(server, lambda client: client.embed("m", ["a"]), attempts=9)
    assert len(server.requests) == 2


@pytest.mark.parametrize(("given", "tokens"), [("2048", 2048), ("²", 0), ("-1", 0)])
def test_a_window_that_is_no_number_is_none(given: str, tokens: int) -> None:
    assert Shown(parameters={"num_ctx": (given,)}).num_ctx == tokens


def test_embedding_never_lets_a_text_be_cut() -> None:
    server = Server(ok({"embeddings": [[1.0]], "prompt_eval_count": 3}))
    found = ask(server, lambda client: client.embed("m", ["a"], keep_alive="5m"))
    assert (found.vectors, found.tokens, found.normalised) == ([[1.0]], 3, True)
    assert server.bodies() == [
        {"model": "m", "input": ["a"], "truncate": False, "keep_alive": "5m"}
    ]


def test_a_server_without_embed_is_asked_text_by_text() -> None:
    server = Server(
        httpx.Response(404, text="404 page not found"),
        ok({"embedding": [3.0]}),
        ok({"embedding": [4.0]}),
    )
    found = ask(server, lambda client: client.embed("m", ["a", "b"]))
    assert (found.vectors, found.normalised) == ([[3.0], [4.0]], False)
    assert [r.url.path for r in server.requests] == ["/api/embed"] + ["/api/embeddings"] * 2
    with pytest.raises(ModelServerRefused):  # an unknown model is JSON, and another matter
        ask(Server(error(404, "model 'm' not found")), lambda client: client.embed("m", ["a"]))


@pytest.mark.parametrize("value", [[], {"embeddings": None}, {}, "text"])
def test_an_embedding_without_embeddings(value: Any) -> None:
    with pytest.raises(ModelServerBroken):
        ask(Server(ok(value)), lambda client: client.embed("m", ["a"]))


def test_a_pull_is_done_when_it_says_so() -> None:
    layer = {"status": "pulling abc", "digest": "sha256:abc", "total": 10}

    def pulled(server: Server) -> list[Progress]:
        return ask(server, lambda client: gathered(client.pull("m")))

    steps = pulled(Server(lines(layer, {**layer, "completed": 10}, {"status": "success"})))
    assert [(step.completed, step.total) for step in steps] == [(0, 10), (10, 10), (0, 0)]
    with pytest.raises(ModelServerBroken, match="pulling abc"):
        pulled(Server(lines(layer)))
    with pytest.raises(ModelServerRefused, match="does not exist"):
        pulled(Server(lines(layer, {"error": "pull model manifest: file does not exist"})))


def test_an_embedding_model_is_loaded_by_embedding_nothing() -> None:
    server = Server(error(400, '"m" does not support generate'), ok({"embeddings": []}))
    ask(server, lambda client: client.unload("m"))
    assert server.bodies()[-1] == {"model": "m", "keep_alive": 0}


def test_the_key_is_sent_and_nothing_else_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server = Server(ok({"version": "1"}))
    ask(server, lambda client: client.version(), key="secret")
    headers = server.requests[0].headers
    assert headers["authorization"] == "Bearer secret"
    assert "origin" not in headers
    ask(server, lambda client: client.version())
    assert "authorization" not in server.requests[1].headers


@pytest.mark.parametrize("body", [b"<html>", b"\xff", b"[1]", b"[" * 200_000])
def test_an_answer_that_is_no_json(body: bytes) -> None:
    with pytest.raises(ModelServerBroken, match="no JSON object"):
        ask(Server(httpx.Response(200, content=body)), lambda client: client.version())


@pytest.mark.parametrize("call", CALLS)
@given(value=REPLIES, status=st.sampled_from([200, 200, 200, 404, 500]))
def test_whatever_a_server_says_is_read_or_is_a_known_error(
    call: str, value: Any, status: int
) -> None:
    server = Server(httpx.Response(status, content=json.dumps(value)))
    with suppress(ModelServerError):
        repr(read(ask(server, CALLS[call], attempts=1))).encode()


def read(found: Any) -> Any:
    """What was found, with what is derived from it."""
    if isinstance(found, Shown):
        return found, found.context_length, found.embedding_length, found.num_ctx
    return found


@pytest.mark.parametrize(
    "line",
    [
        {"message": 5},
        {"message": "x"},
        {"message": {"content": 5}},
        {"message": {"content": ["a"]}},
        {"message": {"content": "a\ud800b"}},
        {"message": {"tool_calls": 5}},
        {"message": {"tool_calls": [5]}},
        {"message": {"tool_calls": [{"function": {"arguments": "{}"}}]}},
        {"done": 1},
        {"done": True, "eval_count": "a"},
        {"done": True, "eval_count": True},
    ],
)
def test_a_part_of_another_kind_is_no_part(line: Any) -> None:
    with pytest.raises(ModelServerBroken, match=r"protocol promises|no JSON object"):
        chatted(Server(httpx.Response(200, content=json.dumps({"done": True, **line}))))


@pytest.mark.parametrize(
    "reply", [{"models": 5}, {"models": [5]}, {"models": [{}]}, {"models": [{"name": ["x"]}]}]
)
def test_a_list_that_is_none(reply: Any) -> None:
    with pytest.raises(ModelServerBroken):
        ask(Server(ok(reply)), lambda client: client.tags())


LOOKUPS = ("version", "tags", "running", "show")


@pytest.mark.parametrize("call", [*LOOKUPS, "embed", "load"])
def test_a_reply_that_never_ends_is_given_up(call: str) -> None:
    dripping = Trickle(b" " * 10_000, pause=0.01)
    began = time.monotonic()
    with pytest.raises(ModelServerUnavailable):
        ask(Server(httpx.Response(200, stream=dripping)), CALLS[call], attempts=1)
    assert dripping.closed and time.monotonic() - began < 5


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize("call", [*LOOKUPS, "embed", "chat"])
def test_a_reply_that_is_too_large(monkeypatch: pytest.MonkeyPatch, call: str, status: int) -> None:
    monkeypatch.setattr(values, "_LARGEST", 1_000)
    monkeypatch.setattr("retrieval.ollama.lines._LONGEST", 1_000)
    endless = Trickle(b" " * 1_000_000)
    with pytest.raises(ModelServerBroken, match="longer than 1,000 bytes"):
        ask(Server(httpx.Response(status, stream=endless)), CALLS[call])
    assert endless.closed


def test_early_hints_without_end_are_no_answer() -> None:
    async def asked(url: str) -> None:
        connection = Connection(url, "", Retry(attempts=1), Timeouts(first_byte=0.3, lookup=0.3))
        async with OllamaClient(connection) as client:
            for call in ("show", "chat"):
                with pytest.raises(ModelServerUnavailable):
                    await CALLS[call](client)

    with speaking(b"", b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") as url:
        anyio.run(asked, url)


@pytest.mark.parametrize(
    "reply",
    [
        error(400, "bad key Bearer SECRET123"),
        httpx.Response(200, content=b"bad key Bearer SECRET123"),
        httpx.Response(200, content=b'{"error":"bad key Bearer SECRET123"}'),
        httpx.RemoteProtocolError("illegal status line: Bearer SECRET123"),
    ],
)
def test_a_server_that_repeats_the_key_does_not_give_it_away(reply: Reply) -> None:
    with pytest.raises(ModelServerError, match=r"Bearer \*{9}") as caught:
        ask(Server(reply), CALLS["chat"], key="SECRET123", attempts=1)
    assert "SECRET123" not in str(caught.value)
