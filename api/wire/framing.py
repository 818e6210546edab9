"""How replies are written: JSON as Go writes it, NDJSON, server-sent events, errors."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from starlette.responses import Response, StreamingResponse

from api.wire.refusals import Refusal

T = TypeVar("T")

NATIVE = "application/json; charset=utf-8"
WRAPPED = "application/json"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"

# Go escapes the first five. U+0085 it doesn't, but a client that splits lines as str.splitlines
# does (ollama-python) would cut an object there.
_ESCAPES = {c.encode(): f"\\u{ord(c):04x}".encode() for c in "<>&\u2028\u2029\u0085"}

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
}
_ANTHROPIC = {
    **_TYPES,
    403: "permission_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


def dumps(value: Any) -> bytes:
    """JSON with the characters escaped that Go escapes; arrays of NumPy at float32's own length."""
    data = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
    for character, escape in _ESCAPES.items():
        if character in data:
            data = data.replace(character, escape)
    return data


def reply(value: Any, status: int = 200) -> Response:
    """A reply of Ollama's own API."""
    return Response(dumps(value), status, media_type=None, headers={"content-type": NATIVE})


def wrapped(value: Any, status: int = 200) -> Response:
    """A reply of the compatible APIs."""
    return Response(dumps(value) + b"\n", status, headers={"content-type": WRAPPED})


def unmarked(value: Any, status: int = 200) -> Response:
    """A reply of the calls that usually stream, to a client that doesn't want a stream."""
    return Response(dumps(value), status, headers={"content-type": WRAPPED})


def native_error(refusal: Refusal) -> Response:
    return reply({"error": refusal.text}, refusal.status)


def openai_error(refusal: Refusal) -> Response:
    return (reply if refusal.early else wrapped)(openai_problem(refusal), refusal.status)


def openai_problem(refusal: Refusal) -> dict[str, Any]:
    kind = _TYPES.get(refusal.status, "api_error")
    return {"error": {"message": refusal.text, "type": kind, "param": None, "code": None}}


def anthropic_error(refusal: Refusal) -> Response:
    kind = _ANTHROPIC.get(refusal.status, "api_error")
    error = {"type": kind, "message": refusal.text}
    value = {"type": "error", "error": error, "request_id": f"req_{secrets.token_hex(12)}"}
    return (reply if refusal.early else wrapped)(value, refusal.status)


def broken_off(path: str, refusal: Refusal) -> bytes:
    """How a stream of that path's protocol ends that isn't whole."""
    if path.startswith("/api/"):
        return line({"error": refusal.text})
    if path == "/v1/messages":
        kind = _ANTHROPIC.get(refusal.status, "api_error")
        return event({"type": "error", "error": {"type": kind, "message": refusal.text}}, "error")
    return event(openai_problem(refusal))


async def stream(
    parts: AsyncGenerator[T],
    render: Callable[[T], bytes],
    failed: Callable[[Refusal], bytes],
    media_type: str,
) -> Response:
    """The parts as they come. What fails before the first one is raised, so it gets a status;
    what fails later is written by `failed` and ends the stream.
    """
    try:
        first = [await anext(parts)]
    except StopAsyncIteration:
        first = []
    except BaseException:
        await parts.aclose()
        raise

    async def body() -> AsyncIterator[bytes]:
        async with aclosing(parts):
            for part in first:
                yield render(part)
            try:
                async for part in parts:
                    yield render(part)
            except Refusal as refusal:
                yield failed(refusal)

    headers = {"content-type": media_type}
    if media_type == SSE:
        headers["cache-control"] = "no-cache"
    return StreamingResponse(body(), headers=headers)


def line(value: Any) -> bytes:
    """A line of NDJSON."""
    return dumps(value) + b"\n"


def event(value: Any, name: str = "") -> bytes:
    """A server-sent event; text is sent as it is, all else as JSON."""
    data = value.encode() if isinstance(value, str) else dumps(value)
    return (b"event: " + name.encode() + b"\n" if name else b"") + b"data: " + data + b"\n\n"


def timestamp(moment: datetime | None = None) -> str:
    """RFC 3339, in UTC, with as many digits as there are."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def without_empty(value: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that aren't zero or empty: Go's `omitempty`."""
    return {key: item for key, item in value.items() if item or isinstance(item, bool)}
