"""What an error reply means, and whether asking again may help."""

import re
from typing import Any

import orjson

from retrieval.errors import (
    ModelServerCrashed,
    ModelServerError,
    ModelServerRefused,
    ModelServerUnavailable,
)

_PASSING = frozenset({408, 429, 502, 503, 504})
# A crashed runner is answered with 400 by some releases, with 500 by others; the next request
# starts it again.
_CRASHED = re.compile(
    r"EOF|connection re(?:set|fused)|runner has unexpectedly stopped|read tcp|broken pipe"
)
_SHOWN = 300  # characters of a server's own words


def failure(server: str, status: int, body: bytes, retry_after: int = 0) -> ModelServerError:
    """The error that the reply of a server stands for, which it calls so; ModelServerUnavailable if
    it may pass, be it after the seconds that the server says.
    """
    text = reason(body)
    return stated(server, status, text or f"status {status} without a word", retry_after)


def blotted(text: str, key: str) -> str:
    """An error's words without the key that they may repeat."""
    return text.replace(key, "*" * len(key)) if key else text


def stated(server: str, status: int, text: str, retry_after: int = 0) -> ModelServerError:
    """The error of a text; `status` is 0 inside a stream."""
    message = f"{server} says: {text[:_SHOWN]}"
    if status in _PASSING or "Loading model" in text:
        return ModelServerUnavailable(message, retry_after)
    if status != 404 and _CRASHED.search(text):
        return ModelServerCrashed(message)
    return ModelServerRefused(message, status, text)


def reason(body: bytes) -> str:
    """The words of an error reply: JSON, JSON in JSON, or what a proxy says."""
    text = body.decode("utf-8", "replace").strip()
    found = _json(text)
    if isinstance(found, dict) and "error" in found:
        return lifted(found["error"])
    if isinstance(found, dict) and isinstance(found.get("detail"), str):
        return str(found["detail"])  # a problem document, by RFC 9457
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())


def lifted(error: Any) -> str:
    """The message of an error that may be a text, an object, or a text that is JSON again."""
    if isinstance(error, str):
        inner = _json(error) if error.lstrip().startswith("{") else None
        return lifted(inner["error"]) if isinstance(inner, dict) and "error" in inner else error
    if isinstance(error, dict):
        return str(error.get("message") or error)
    return str(error)


def _json(text: str) -> Any:
    try:
        return orjson.loads(text)
    except ValueError:
        return None
