"""`/api/chat` and `/api/generate`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire import options
from api.wire.asking import Server, find, read
from api.wire.collecting import collected
from api.wire.disconnection import until_gone
from api.wire.framing import NDJSON, dumps, line, reply, stream, timestamp, without_empty
from api.wire.models import Card, Completion, Model, Part
from api.wire.native import ChatRequest, GenerateRequest, Message
from api.wire.refusals import Refusal
from retrieval.ollama.types import ToolCall

Render = Callable[[Part], dict[str, Any]]

_NO_IMAGES = {
    "code": 400,
    "message": "Multimodal data provided, but model does not support multimodal requests.",
    "type": "invalid_request_error",
}
_RAW = "raw mode does not support template, system, or context"


@dataclass(frozen=True, slots=True)
class Asked:
    """A completion that a client asked for, of which model, and how to write its parts."""

    model: Model
    completion: Completion
    render: Render


async def chat(server: Server, request: Request) -> Response:
    asked = await read(ChatRequest, request)
    _check_logprobs(asked.top_logprobs)
    model = await find(server, asked.model, unknown=f"model '{asked.model}' not found")
    check_capable(model.card, asked.model, "chat")
    render = _chat_renderer(asked.model)
    if not asked.messages:
        return _loaded(server, model.card, asked.keep_alive, render)
    completion = Completion(
        messages=asked.messages,
        options=options.checked(asked.options),
        think=asked.think,
        format=asked.format,
        tools=asked.tools,
        truncate=asked.truncate,
        shift=asked.shift,
        base_url=str(request.base_url),
    )
    server.residence.use(model.card, asked.keep_alive)
    return await _answer(request, Asked(model, completion, render), asked.model, asked.stream)


async def generate(server: Server, request: Request) -> Response:
    asked = await read(GenerateRequest, request)
    _check_logprobs(asked.top_logprobs)
    empty, unknown = "model '' not found", f"model '{asked.model}' not found"
    model = await find(server, asked.model, empty=empty, unknown=unknown)
    check_capable(model.card, asked.model, "generate")
    if asked.raw and (asked.template or asked.system or asked.context):
        raise Refusal(400, _RAW)
    if asked.suffix and "insert" not in model.card.capabilities:
        raise Refusal(400, f"{model.card.name.full} does not support insert")
    render = _generate_renderer(asked.model)
    if not asked.prompt:
        return _loaded(server, model.card, asked.keep_alive, render)
    completion = Completion(
        messages=_conversation(asked),
        options=options.checked(asked.options),
        think=asked.think,
        format=asked.format,
        truncate=asked.truncate,
        shift=asked.shift,
        raw=asked.raw,
        suffix=asked.suffix,
        base_url=str(request.base_url),
    )
    server.residence.use(model.card, asked.keep_alive)
    return await _answer(request, Asked(model, completion, render), asked.model, asked.stream)


def check_capable(card: Card, name: str, what: str) -> None:
    if "completion" not in card.capabilities:
        raise Refusal(400, f'"{name}" does not support {what}')


def check(card: Card, name: str, completion: Completion) -> None:
    """Raises Refusal where the model can't do what is asked, in Ollama's words."""
    if completion.tools and "tools" not in card.capabilities:
        raise Refusal(400, f"{card.name.full} does not support tools")
    if completion.think and "thinking" not in card.capabilities:
        raise Refusal(400, f'"{name}" does not support thinking')
    wanted = completion.format
    if wanted not in (None, "", "json") and not isinstance(wanted, dict):
        quoted = json.dumps(dumps(wanted).decode())
        raise Refusal(
            500, f'invalid format: {quoted}; expected "json" or a valid JSON Schema object'
        )
    if any(message.images for message in completion.messages) and (
        "vision" not in card.capabilities
    ):
        raise Refusal(400, dumps({"error": _NO_IMAGES}).decode())


async def _answer(request: Request, asked: Asked, name: str, streamed: bool) -> Response:
    check(asked.model.card, name, asked.completion)
    parts = asked.model.complete(asked.completion)
    if not streamed:
        return reply(asked.render(await until_gone(request, collected(parts))))
    return await stream(
        parts,
        lambda part: line(asked.render(part)),
        lambda refusal: line({"error": refusal.text}),
        NDJSON,
    )


def _loaded(server: Server, card: Card, keep_alive: float | None, render: Render) -> Response:
    """Nothing was asked: the model is only loaded, or with `keep_alive` 0 unloaded."""
    server.residence.use(card, keep_alive)
    return reply(render(Part(done_reason="unload" if keep_alive == 0 else "load")))


def _conversation(asked: GenerateRequest) -> tuple[Message, ...]:
    system = (Message("system", asked.system),) if asked.system else ()
    return (*system, Message("user", asked.prompt, images=asked.images))


def _check_logprobs(count: int) -> None:
    if not 0 <= count <= 20:
        raise Refusal(400, "top_logprobs must be between 0 and 20")


def _chat_renderer(name: str) -> Render:
    def render(part: Part) -> dict[str, Any]:
        message = {
            "role": "assistant",
            "content": part.content,
            **without_empty(
                {
                    "thinking": part.thinking,
                    "tool_calls": [_tool_call(i, call) for i, call in enumerate(part.tool_calls)],
                    "citations": part.citations,
                }
            ),
        }
        return {"model": name, "created_at": timestamp(), "message": message, **_ending(part)}

    return render


def _generate_renderer(name: str) -> Render:
    def render(part: Part) -> dict[str, Any]:
        said = {"response": part.content, **without_empty({"thinking": part.thinking})}
        context = {"context": part.context} if part.context else {}
        return {
            "model": name,
            "created_at": timestamp(),
            **said,
            **_ending(part),
            **context,
        }

    return render


def _ending(part: Part) -> dict[str, Any]:
    """Whether it is over, and with the last part why and at what cost."""
    if not part.done_reason:
        return {"done": False}
    usage = part.usage
    counts = without_empty(
        {
            "total_duration": usage.total_ns,
            "load_duration": usage.load_ns,
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": usage.prompt_ns,
            "eval_count": usage.output_tokens,
            "eval_duration": usage.output_ns,
        }
        if usage
        else {}
    )
    cited = without_empty({"citations": part.citations})
    return {"done": True, "done_reason": part.done_reason, **cited, **counts}


def _tool_call(index: int, call: ToolCall) -> dict[str, Any]:
    function = {"index": index, "name": call.name, "arguments": dict(call.arguments)}
    return {"id": call.id, "function": function}
