"""`/v1/chat/completions` and `/v1/completions`."""

import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire import options
from api.wire.asking import Server
from api.wire.beginning import begin
from api.wire.collecting import collected
from api.wire.disconnection import until_gone
from api.wire.framing import SSE, event, openai_problem, stream, wrapped
from api.wire.models import Completion, Part
from api.wire.native import Message
from api.wire.openai_messages import effort, messages, schema, stops
from api.wire.refusals import Refusal
from api.wire.structs import (
    anything,
    boolean,
    field,
    integer,
    mapping,
    nested,
    number,
    several,
    string,
)
from retrieval.ollama.types import ToolCall, Usage

FINGERPRINT = "fp_footnote"


@dataclass(frozen=True, slots=True)
class StreamOptions:
    include_usage: bool = field(boolean, False)


@dataclass(frozen=True, slots=True)
class Reasoning:
    effort: str = field(string, "")


@dataclass(frozen=True, slots=True)
class Sampled:
    """What all requests of this protocol have in common."""

    model: str = field(string, "")
    stream: bool = field(boolean, False)
    seed: int | None = field(integer)
    stop: Any = field(anything)
    temperature: float = field(number, 1.0)
    top_p: float = field(number, 1.0)
    frequency_penalty: float | None = field(number)
    presence_penalty: float | None = field(number)

    def sampling(self, max_tokens: int | None) -> dict[str, Any]:
        """The options. A temperature that isn't given is 1 in this protocol. Raises Refusal."""
        given = {
            "num_predict": max_tokens,
            "seed": self.seed,
            "stop": stops(self.stop) if self.stop is not None else None,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "frequency_penalty": self.frequency_penalty,
            "presence_penalty": self.presence_penalty,
        }
        return options.checked(given)


@dataclass(frozen=True, slots=True)
class ChatCompletionRequest(Sampled):
    messages: tuple[Any, ...] = field(several(anything, "openai.Message"), ())
    stream_options: StreamOptions = field(nested(StreamOptions, "openai"), StreamOptions)
    max_tokens: int | None = field(integer)
    response_format: dict[str, Any] = field(mapping, dict)
    tools: tuple[dict[str, Any], ...] = field(several(mapping, "api.Tool"), ())
    reasoning_effort: str = field(string, "")
    reasoning: Reasoning = field(nested(Reasoning, "openai"), Reasoning)

    def completion(self, base_url: str) -> Completion:
        """What is asked for. Raises Refusal."""
        return Completion(
            messages=messages(self.messages),
            options=self.sampling(self.max_tokens),
            think=effort(self.reasoning_effort or self.reasoning.effort),
            format=schema(self.response_format),
            tools=self.tools,
            base_url=base_url,
        )


@dataclass(frozen=True, slots=True)
class CompletionRequest(Sampled):
    prompt: str = field(string, "")
    suffix: str = field(string, "")
    stream_options: StreamOptions = field(nested(StreamOptions, "openai"), StreamOptions)
    max_tokens: int | None = field(integer)

    def completion(self, base_url: str) -> Completion:
        return Completion(
            messages=(Message("user", self.prompt),),
            options=self.sampling(self.max_tokens),
            suffix=self.suffix,
            base_url=base_url,
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What all chunks of a reply begin with."""

    id: str
    object: str
    created: int
    model: str

    def chunk(self, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": self.object,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
            **more,
        }


async def chat_completions(server: Server, request: Request) -> Response:
    asked, parts = await begin(server, request, ChatCompletionRequest, "openai")
    head = _head("chatcmpl", "chat.completion", asked.model, asked.stream)
    if asked.stream:
        usage = asked.stream_options.include_usage
        return await _streamed(chat_chunks(parts, head, usage))
    said = await until_gone(request, collected(parts))
    message = {"role": "assistant", "content": said.content, **_more(said)}
    reason = "tool_calls" if said.tool_calls else said.done_reason or None
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return wrapped(head.chunk([choice], usage=tokens(said.usage)))


async def completions(server: Server, request: Request) -> Response:
    asked, parts = await begin(server, request, CompletionRequest, "openai", legacy=True)
    head = _head("cmpl", "text_completion", asked.model, False)
    if asked.stream:
        usage = asked.stream_options.include_usage
        return await _streamed(_text_chunks(parts, head, usage))
    said = await until_gone(request, collected(parts))
    choice = _text(said.content, said.done_reason or None)
    return wrapped(head.chunk([choice], usage=tokens(said.usage)))


async def chat_chunks(
    parts: AsyncGenerator[Part], head: Head, with_usage: bool
) -> AsyncGenerator[Any]:
    """The chunks of a streamed chat; the role is in the first, "[DONE]" the last."""
    role: dict[str, Any] = {"role": "assistant"}
    called = False
    async for part in whole(parts):
        called = called or bool(part.tool_calls)
        if part.content or part.thinking or part.tool_calls or role:
            delta = {**role, "content": part.content, **_more(part, cited=False)}
            yield head.chunk([{"index": 0, "delta": delta, "finish_reason": None}])
            role = {}
        if part.done_reason:
            delta = {"annotations": annotations(part)} if part.citations else {}
            reason = "tool_calls" if called else part.done_reason
            yield head.chunk([{"index": 0, "delta": delta, "finish_reason": reason}])
            if with_usage:
                yield head.chunk([], usage=tokens(part.usage))
            yield "[DONE]"


async def _text_chunks(
    parts: AsyncGenerator[Part], head: Head, with_usage: bool
) -> AsyncGenerator[Any]:
    async for part in whole(parts):
        if not part.done_reason or part.content:
            yield head.chunk([_text(part.content, None)])
        if part.done_reason:
            yield head.chunk([_text("", part.done_reason)])
            if with_usage:
                yield head.chunk([], usage=tokens(part.usage))
            yield "[DONE]"


async def whole(parts: AsyncGenerator[Part]) -> AsyncIterator[Part]:
    """The parts; if the last one isn't among them, a Refusal after them."""
    reason = ""
    async with aclosing(parts):
        async for part in parts:
            reason = part.done_reason
            yield part
    if not reason:
        raise Refusal(500, "the model's answer broke off")


async def _streamed(chunks: AsyncGenerator[Any]) -> Response:
    return await stream(chunks, event, lambda refusal: event(openai_problem(refusal)), SSE)


def annotations(part: Part) -> list[dict[str, Any]]:
    """The citations as OpenAI's clients know them, and as they are beside that."""
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": citation["answer_start"],
                "end_index": citation["answer_end"],
                "url": citation["url"],
                "title": citation["title"],
            },
            "footnote": citation,
        }
        for citation in part.citations
    ]


def tokens(usage: Usage | None) -> dict[str, int]:
    read, written = (usage.prompt_tokens or 0, usage.output_tokens or 0) if usage else (0, 0)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _more(part: Part, *, cited: bool = True) -> dict[str, Any]:
    """What a message has besides its content, if it has."""
    found: dict[str, Any] = {}
    if part.thinking:
        found["reasoning"] = part.thinking
    if part.tool_calls:
        found["tool_calls"] = list(_tool_calls(part.tool_calls))
    if cited and part.citations:
        found["annotations"] = annotations(part)
    return found


def _tool_calls(calls: Iterable[ToolCall]) -> Iterable[dict[str, Any]]:
    for index, call in enumerate(calls):
        function = {"name": call.name, "arguments": json.dumps(dict(call.arguments))}
        yield {"id": call.id, "index": index, "type": "function", "function": function}


def _text(text: str, reason: str | None) -> dict[str, Any]:
    return {"text": text, "index": 0, "finish_reason": reason}


def _head(prefix: str, kind: str, model: str, chunked: bool) -> Head:
    name = f"{kind}.chunk" if chunked else kind
    return Head(f"{prefix}-{secrets.token_hex(12)}", name, int(time.time()), model)
