"""The JSON of an Ollama server: objects, and fields of the kind that they have to be."""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import orjson

from retrieval.errors import ModelServerBroken

T = TypeVar("T")
Json = Mapping[str, Any]

_LARGEST = 64 * 1024 * 1024  # bytes of a reply that is read whole; a vocabulary takes 10

_KINDS: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    type(None): "null",
}


def parsed(data: bytes, what: str) -> dict[str, Any]:
    """The object in a reply or a line of one, which errors call `what`. Raises ModelServerBroken.

    NaN, halves of surrogate pairs and endless nesting aren't JSON either: Go never writes them,
    and nobody could be told of them.
    """
    try:
        found = orjson.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ModelServerBroken(f"{what} is no JSON object: {data[:80]!r}.")
    return found


async def whole(response: httpx.Response) -> bytes:
    """The body of a reply, unpacked. Raises ModelServerBroken where it is too large."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise ModelServerBroken(
                f"The answer of {response.url} is longer than {_LARGEST:,} bytes."
            )
    return bytes(body)


def field(json: Json, name: str, kind: type[T]) -> T | None:
    """A field; None where it is absent or null. Raises ModelServerBroken for another kind."""
    found = json.get(name)
    return None if found is None else _checked(found, name, kind)


def items(json: Json, name: str, kind: type[T]) -> list[T]:
    """A list of this kind; empty where it is absent or null. Raises ModelServerBroken."""
    return [_checked(one, name, kind) for one in field(json, name, list) or ()]


def _checked(found: Any, name: str, kind: type[T]) -> T:
    if type(found) is not kind:  # true is no number
        raise ModelServerBroken(
            f"The server's answer isn't what its protocol promises: {name!r} has "
            f"{_KINDS[type(found)]} where {_KINDS[kind]} belongs."
        )
    return found
