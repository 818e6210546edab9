"""`/v1/responses`: OpenAI's newer protocol, without its memory of earlier responses."""

import itertools
import secrets
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire.asking import Server
from api.wire.beginning import begin
from api.wire.collecting import collected
from api.wire.disconnection import until_gone
from api.wire.framing import SSE, event, stream, wrapped
from api.wire.models import Completion, Part
from api.wire.native import Message
from api.wire.openai_chat import Reasoning, Sampled, annotations, tokens, whole
from api.wire.openai_messages import effort, schema, text_and_images
from api.wire.refusals import Refusal
from api.wire.structs import (
    anything,
    field,
    integer,
    mapping,
    nested,
    several,
    string,
)

_GO = "json: cannot unmarshal {} into Go value of type []json.RawMessage"


@dataclass(frozen=True, slots=True)
class ResponsesRequest(Sampled):
    input: Any = field(anything)
    instructions: str = field(string, "")
    max_output_tokens: int | None = field(integer)
    reasoning: Reasoning = field(nested(Reasoning, "openai"), Reasoning)
    text: dict[str, Any] = field(mapping, dict)
    tools: tuple[dict[str, Any], ...] = field(several(mapping, "openai.ResponsesTool"), ())
    metadata: dict[str, Any] = field(mapping, dict)

    def completion(self, base_url: str) -> Completion:
        """What is asked for. Raises Refusal."""
        system = (Message("system", self.instructions),) if self.instructions else ()
        return Completion(
            messages=(*system, *_messages(self.input)),
            options=self.sampling(self.max_output_tokens),
            think=effort(self.reasoning.effort),
            format=schema(self.text.get("format")),
            tools=self.tools,
            base_url=base_url,
        )


@dataclass(frozen=True, slots=True)
class _Reply:
    """The one response and the one message in it, as they grow."""

    asked: ResponsesRequest
    id: str
    item: str
    created: int

    def response(self, status: str, part: Part | None = None, fault: str = "") -> dict[str, Any]:
        asked = self.asked
        read = tokens(part.usage) if part else None
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": int(time.time()) if part else None,
            "status": status,
            "incomplete_details": None,  # "completed" even when cut by length: Ollama's way
            "model": asked.model,
            "previous_response_id": None,
            "instructions": asked.instructions or None,
            "output": [self.message("completed", part)] if part else [],
            "error": {"code": "server_error", "message": fault} if fault else None,
            "tools": asked.tools,
            "tool_choice": "auto",
            "truncation": "disabled",
            "parallel_tool_calls": True,
            "text": asked.text or {"format": {"type": "text"}},
            "top_p": asked.top_p,
            "presence_penalty": asked.presence_penalty or 0,
            "frequency_penalty": asked.frequency_penalty or 0,
            "top_logprobs": 0,
            "temperature": asked.temperature,
            "reasoning": {"effort": asked.reasoning.effort} if asked.reasoning.effort else None,
            "usage": _usage(read) if read else None,
            "max_output_tokens": asked.max_output_tokens,
            "max_tool_calls": None,
            "store": False,
            "background": False,
            "service_tier": "default",
            "metadata": asked.metadata,
            "safety_identifier": None,
            "prompt_cache_key": None,
        }

    def message(self, status: str, part: Part | None = None) -> dict[str, Any]:
        content = [_text(part.content, part)] if part else []
        return {
            "id": self.item,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        }


async def responses(server: Server, request: Request) -> Response:
    asked, parts = await begin(server, request, ResponsesRequest, "openai")
    unique = secrets.token_hex(12)
    grown = _Reply(asked, f"resp_{unique}", f"msg_{unique}", int(time.time()))
    if not asked.stream:
        said = await until_gone(request, collected(parts))
        return wrapped(grown.response("completed", said))
    numbers = itertools.count()

    def failed(refusal: Refusal) -> bytes:
        response = grown.response("failed", fault=refusal.text)
        return _framed("response.failed", {"response": response}, next(numbers))

    return await stream(_events(parts, grown, numbers), lambda one: one, failed, SSE)


async def _events(
    parts: AsyncGenerator[Part], grown: _Reply, numbers: Iterator[int]
) -> AsyncGenerator[bytes]:
    """The events of a streamed response, each with its number."""
    at = {"item_id": grown.item, "output_index": 0, "content_index": 0}

    def framed(name: str, **data: Any) -> bytes:
        return _framed(name, data, next(numbers))

    began = False
    text: list[str] = []
    last = Part()
    async for part in whole(parts):
        if not began:
            began = True
            for name, data in _opening(grown):
                yield framed(name, **data)
        if part.content:
            text.append(part.content)
            delta = {"delta": part.content, "logprobs": []}
            yield framed("response.output_text.delta", **at, **delta)
        last = part
    said = Part("".join(text), citations=last.citations, usage=last.usage)
    for index, annotation in enumerate(annotations(said)):
        noted = {"annotation_index": index, "annotation": _flat(annotation)}
        yield framed("response.output_text.annotation.added", **at, **noted)
    yield framed("response.output_text.done", **at, text=said.content, logprobs=[])
    yield framed("response.content_part.done", **at, part=_text(said.content, said))
    item = grown.message("completed", said)
    yield framed("response.output_item.done", output_index=0, item=item)
    yield framed("response.completed", response=grown.response("completed", said))


def _opening(grown: _Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "response.created", {"response": grown.response("in_progress")}
    yield "response.in_progress", {"response": grown.response("in_progress")}
    item = grown.message("in_progress")
    yield "response.output_item.added", {"output_index": 0, "item": item}
    at = {"item_id": grown.item, "output_index": 0, "content_index": 0}
    yield "response.content_part.added", {**at, "part": _text("", Part())}


def _framed(name: str, data: dict[str, Any], number: int) -> bytes:
    return event({"type": name, "sequence_number": number, **data}, name)


def _text(text: str, part: Part) -> dict[str, Any]:
    noted = [_flat(one) for one in annotations(part)]
    return {"type": "output_text", "text": text, "annotations": noted, "logprobs": []}


def _flat(annotation: dict[str, Any]) -> dict[str, Any]:
    """An annotation as this protocol has it: without the level that a chat's has."""
    return {
        "type": annotation["type"],
        **annotation["url_citation"],
        "footnote": annotation["footnote"],
    }


def _usage(read: dict[str, int]) -> dict[str, Any]:
    return {
        "input_tokens": read["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": read["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read["total_tokens"],
    }


def _messages(value: Any) -> Iterator[Message]:
    if isinstance(value, str):
        yield Message("user", value)
        return
    if value is None or not isinstance(value, list):
        kinds = {bool: "bool", dict: "object", type(None): "null"}
        named = kinds.get(type(value), "number")
        raise Refusal(400, f"input must be a string or array: {_GO.format(named)}")
    for index, item in enumerate(value):
        yield _item(index, item)


def _item(index: int, item: Any) -> Message:
    kind = item.get("type") if isinstance(item, dict) else None
    if kind is None and not (isinstance(item, dict) and "role" in item):
        raise Refusal(400, f"input[{index}]: input item missing required 'type' field")
    if kind not in (None, "message"):
        raise Refusal(400, f"input[{index}]: items of type {kind!r} are not understood here")
    content = item.get("content")
    if isinstance(content, str):
        return Message(str(item.get("role") or ""), content)
    if not isinstance(content, list):
        raise Refusal(400, f"input[{index}]: content must be a string or a list of parts")
    text, images = text_and_images(content)
    return Message(str(item.get("role") or ""), text, images=images)
