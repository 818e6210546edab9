"""`/v1/messages`: Anthropic's protocol."""

import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire import options
from api.wire.asking import Server
from api.wire.beginning import begin
from api.wire.collecting import collected
from api.wire.disconnection import until_gone
from api.wire.framing import SSE, event, stream, wrapped
from api.wire.models import Completion, Part
from api.wire.native import Message
from api.wire.openai_chat import tokens, whole
from api.wire.openai_messages import stops, text_and_images
from api.wire.refusals import Refusal
from api.wire.structs import (
    anything,
    boolean,
    field,
    integer,
    mapping,
    number,
    several,
    string,
)
from retrieval.ollama.types import Usage

_REASONS = {"length": "max_tokens", "stop": "end_turn"}


@dataclass(frozen=True, slots=True)
class MessagesRequest:
    model: str = field(string, "")
    max_tokens: int = field(integer, 0)
    messages: tuple[dict[str, Any], ...] = field(several(mapping, "anthropic.MessageParam"), ())
    system: Any = field(anything)
    stream: bool = field(boolean, False)
    temperature: float | None = field(number)
    top_p: float | None = field(number)
    top_k: int | None = field(integer)
    stop_sequences: Any = field(anything)
    tools: tuple[dict[str, Any], ...] = field(several(mapping, "anthropic.Tool"), ())
    thinking: dict[str, Any] = field(mapping, dict)

    def completion(self, base_url: str) -> Completion:
        """What is asked for. Raises Refusal."""
        if self.max_tokens <= 0:
            raise Refusal(400, "max_tokens is required and must be positive")
        if not self.messages:
            raise Refusal(400, "messages is required")
        given = {
            "num_predict": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "stop": stops(self.stop_sequences) if self.stop_sequences is not None else None,
        }
        system = (_message("system", self.system),) if self.system else ()
        turns = [_message(str(one.get("role") or ""), one.get("content")) for one in self.messages]
        return Completion(
            messages=(*system, *turns),
            options=options.checked(given),
            think=self.thinking.get("type") == "enabled" or None,
            tools=self.tools,
            base_url=base_url,
        )


async def messages(server: Server, request: Request) -> Response:
    asked, parts = await begin(server, request, MessagesRequest, "anthropic")
    identity = secrets.token_hex(12)
    if not asked.stream:
        said = await until_gone(request, collected(parts))
        return wrapped(_reply(identity, asked.model, said))
    return await stream(_events(parts, identity, asked.model), lambda one: one, _failed, SSE)


async def _events(parts: AsyncGenerator[Part], identity: str, model: str) -> AsyncGenerator[bytes]:
    """The events of a streamed message: a block of thinking if there is any, a block of text."""
    index, kind, last, began = -1, "", Part(), False
    async for part in whole(parts):
        if not began:
            began = True
            start = {**_reply(identity, model, None)}
            yield _framed("message_start", message=start)
        for block, text in (("thinking", part.thinking), ("text", part.content)):
            if text and block != kind:
                if kind:
                    yield _framed("content_block_stop", index=index)
                index, kind = index + 1, block
                opened = {"type": block, block: ""}
                yield _framed("content_block_start", index=index, content_block=opened)
            if text:
                delta = {"type": f"{block}_delta", block: text}
                yield _framed("content_block_delta", index=index, delta=delta)
        last = part
    if kind:
        yield _framed("content_block_stop", index=index)
    ended = {"stop_reason": _REASONS.get(last.done_reason, last.done_reason), "stop_sequence": None}
    cited = {"citations": last.citations} if last.citations else {}
    yield _framed("message_delta", delta=ended, usage=_usage(last.usage), **cited)
    yield _framed("message_stop")


def _reply(identity: str, model: str, part: Part | None) -> dict[str, Any]:
    return {
        "id": f"msg_{identity}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _blocks(part) if part else [],
        "stop_reason": _REASONS.get(part.done_reason, part.done_reason) if part else None,
        "stop_sequence": None,
        "usage": _usage(part.usage if part else None),
        **({"citations": part.citations} if part and part.citations else {}),
    }


def _blocks(part: Part) -> list[dict[str, Any]]:
    thought = [{"type": "thinking", "thinking": part.thinking}] if part.thinking else []
    return [*thought, {"type": "text", "text": part.content}]


def _usage(usage: Usage | None) -> dict[str, int]:
    read = tokens(usage)
    return {"input_tokens": read["prompt_tokens"], "output_tokens": read["completion_tokens"]}


def _message(role: str, content: Any) -> Message:
    if isinstance(content, str):
        return Message(role, content)
    if not isinstance(content, list):
        raise Refusal(400, "content must be a string or a list of blocks")
    text, images = text_and_images(content)
    return Message(role, text, images=images)


def _framed(name: str, **data: Any) -> bytes:
    return event({"type": name, **data}, name)


def _failed(refusal: Refusal) -> bytes:
    return _framed("error", error={"type": "api_error", "message": refusal.text})
