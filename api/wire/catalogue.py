"""The calls about models: list, describe, copy, delete, pull, push, create, and their blobs."""

import hashlib
import math
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire.asking import Server, find, name, read
from api.wire.framing import (
    NDJSON,
    line,
    reply,
    stream,
    timestamp,
    unmarked,
    without_empty,
    wrapped,
)
from api.wire.models import Card, Model
from api.wire.native import (
    CopyRequest,
    CreateRequest,
    DeleteRequest,
    PullRequest,
    PushRequest,
    ShowRequest,
)
from api.wire.refusals import Refusal
from api.wire.residence import Resident

_DIGEST = re.compile(r"sha256[:-][0-9a-fA-F]{64}")
_NEVER = datetime(2319, 1, 1, tzinfo=UTC)  # about where Go's longest duration ends

Progress = AsyncGenerator[Mapping[str, Any]]


async def tags(server: Server, _request: Request) -> Response:
    return reply({"models": [summary(card) for card in await server.models.cards()]})


async def ps(server: Server, _request: Request) -> Response:
    # Not one that is deleted by now, nor one that isn't there for who asks.
    there = {_untagged(card) for card in await server.models.cards()}
    residents = server.residence.residents()
    return reply({"models": [_resident(one) for one in residents if _untagged(one.card) in there]})


async def show(server: Server, request: Request) -> Response:
    asked = await read(ShowRequest, request)
    card = (await _described(server, asked.model or asked.name)).card
    info = {**card.model_info, **(card.verbose_info if asked.verbose else {})}
    described = {
        "modelfile": f"FROM {card.name.short}\n{card.parameters}".rstrip() + "\n",
        "parameters": card.parameters,
        "template": card.template,
        **without_empty({"system": card.system}),
        "details": _details(card),
        "model_info": info,
        "tensors": [],
        "capabilities": card.capabilities,
        "modified_at": timestamp(card.modified_at),
    }
    return reply(described)


async def openai_models(server: Server, _request: Request) -> Response:
    data = [_openai_model(card, card.name.short) for card in await server.models.cards()]
    return wrapped({"object": "list", "data": data})


async def openai_model(server: Server, request: Request) -> Response:
    text = request.path_params["id"]
    return wrapped(_openai_model((await _described(server, text)).card, text))


async def copy(server: Server, request: Request) -> Response:
    asked = await read(CopyRequest, request)
    source = name(asked.source, f'source "{asked.source}" is invalid')
    destination = name(asked.destination, f'destination "{asked.destination}" is invalid')
    if await server.models.find(source) is None:
        raise Refusal(404, f'model "{asked.source}" not found')
    await server.models.copy(source, destination)
    return Response()


async def delete(server: Server, request: Request) -> Response:
    asked = await read(DeleteRequest, request)
    text = asked.model or asked.name
    if not text:
        raise Refusal(400, "model is required")
    parsed = name(text, f'name "{text}" is invalid')
    if await server.models.find(parsed) is None:
        raise Refusal(404, f"model '{text}' not found")
    await server.models.delete(parsed)
    return Response()


async def pull(server: Server, request: Request) -> Response:
    asked = await read(PullRequest, request)
    parsed = name(asked.model or asked.name)
    return await _progress(server.models.pull(parsed), asked.stream)


async def push(server: Server, request: Request) -> Response:
    asked = await read(PushRequest, request)
    if not (asked.model or asked.name):
        raise Refusal(400, "model is required")
    parsed = name(asked.model or asked.name)
    return await _progress(server.models.push(parsed), asked.stream)


async def create(server: Server, request: Request) -> Response:
    asked = await read(CreateRequest, request)
    parsed = name(asked.model or asked.name)
    if any(path.startswith("/") or ".." in path.split("/") for path in asked.files):
        raise Refusal(400, "file path must be relative")
    if not asked.source and not asked.files:
        return unmarked({"error": "neither 'from' or 'files' was specified"}, 400)
    return await _progress(server.models.create(parsed, asked), asked.stream)


async def head_blob(server: Server, request: Request) -> Response:
    digest = _digest(request)
    if not await server.models.has_blob(digest):
        raise Refusal(404, f'blob "{digest}" not found')
    return Response()


async def add_blob(server: Server, request: Request) -> Response:
    digest = _digest(request)
    new = await server.models.add_blob(digest, _verified(digest, request.stream()))
    return Response(status_code=201 if new else 200)


async def _verified(digest: str, data: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The bytes. Raises Refusal at their end if they aren't what the digest says."""
    found = hashlib.sha256()
    async for part in data:
        found.update(part)
        yield part
    got = f"sha256:{found.hexdigest()}"
    if got != digest:
        raise Refusal(400, f'digest mismatch, expected "{digest}", got "{got}"')


def summary(card: Card) -> dict[str, Any]:
    """A model as `tags` lists it."""
    lengths = {"context_length": card.context_length, "embedding_length": card.embedding_length}
    return {
        "name": card.name.short,
        "model": card.name.short,
        "modified_at": timestamp(card.modified_at),
        "size": card.size,
        "digest": card.digest,
        "details": {**_details(card), **lengths},
        "capabilities": card.capabilities,
    }


def _resident(resident: Resident) -> dict[str, Any]:
    card = resident.card
    stays = resident.expires_at == math.inf
    ends = _NEVER if stays else datetime.fromtimestamp(resident.expires_at, UTC)
    return {
        "name": card.name.short,
        "model": card.name.short,
        "size": card.size,
        "digest": card.digest,
        "details": _details(card),
        "expires_at": timestamp(ends),
        "size_vram": 0,
        "context_length": card.context_length,
    }


def _untagged(card: Card) -> tuple[str, str, str]:
    """A model, whichever way it answers."""
    name = card.name
    return name.host.lower(), name.namespace.lower(), name.model.lower()


def _details(card: Card) -> dict[str, Any]:
    return {
        "parent_model": card.parent,
        "format": card.format,
        "family": card.family,
        "families": [card.family],
        "parameter_size": card.parameter_size,
        "quantization_level": card.quantization,
    }


def _openai_model(card: Card, name: str) -> dict[str, Any]:
    created = int(card.modified_at.timestamp())
    owner = card.name.namespace
    return {"id": name, "object": "model", "created": created, "owned_by": owner}


async def _described(server: Server, text: str) -> Model:
    tagged = text if ":" in text.rsplit("/", 1)[-1] else f"{text}:latest"
    return await find(server, text, unknown=f"model '{tagged}' not found")


async def _progress(lines: Progress, streamed: bool) -> Response:
    if streamed:
        return await stream(lines, line, lambda refusal: line({"error": refusal.text}), NDJSON)
    try:
        told = [told async for told in lines]
    except Refusal as refusal:
        return unmarked({"error": refusal.text}, refusal.status)
    return unmarked(told[-1] if told else {})


def _digest(request: Request) -> str:
    digest: str = request.path_params["digest"]
    if not _DIGEST.fullmatch(digest):
        raise Refusal(400, "invalid digest format")
    return digest.replace("-", ":").lower()
