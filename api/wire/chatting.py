"""`/api/chat` and `/api/generate`."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.wire import options
from api.wire.asking import Server, find, read
from api.wire.collecting import collected
from api.wire.disconnection import until_gone
from api.wire.framing import NDJSON, dumps, line, reply, stream, timestamp, without_empty
from api.wire.models import Card, Completion, Model, Part
from api.wire.native import Asking, ChatRequest, GenerateRequest, Message
from api.wire.refusals import Refusal
from retrieval.ollama.types import ToolCall

Render = Callable[[Part], dict[str, Any]]

_NO_IMAGES = {
    "code": 400,
    "message": "Multimodal data provided, but model does not support multimodal requests.",
    "type": "invalid_request_error",
}
_RAW = "raw mode does not support template, system, or context"


async def chat(server: Server, request: Request) -> Response:
    asked = await read(ChatRequest, request)
    _check_logprobs(asked.top_logprobs)
    model = await find(server, asked.model, unknown=f"model '{asked.model}' not found")
    check_capable(model.card, asked.model, "chat")
    completion = _completion(asked, request, asked.messages, tools=asked.tools)
    return await _answer(server, request, model, asked, completion, _chat_renderer(asked.model))


async def generate(server: Server, request: Request) -> Response:
    asked = await read(GenerateRequest, request)
    _check_logprobs(asked.top_logprobs)
    empty, unknown = "model '' not found", f"model '{asked.model}' not found"
    model = await find(server, asked.model, empty=empty, unknown=unknown)
    check_capable(model.card, asked.model, "generate")
    if asked.raw and (asked.template or asked.system or asked.context):
        raise Refusal(400, _RAW)
    messages = _conversation(asked)
    completion = _completion(asked, request, messages, raw=asked.raw, suffix=asked.suffix)
    render = _generate_renderer(asked.model)
    return await _answer(server, request, model, asked, completion, render)


def check_capable(card: Card, name: str, what: str) -> None:
    if "completion" not in card.capabilities:
        raise Refusal(400, f'"{name}" does not support {what}')


def check(card: Card, name: str, completion: Completion) -> None:
    """Raises Refusal where the model can't do what is asked, in Ollama's words."""
    if completion.tools and "tools" not in card.capabilities:
        raise Refusal(400, f"{card.name.full} does not support tools")
    if completion.think and "thinking" not in card.capabilities:
        raise Refusal(400, f'"{name}" does not support thinking')
    if completion.suffix and "insert" not in card.capabilities:
        raise Refusal(400, f"{card.name.full} does not support insert")
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


def _completion(
    asked: Asking, request: Request, messages: tuple[Message, ...], **more: Any
) -> Completion:
    return Completion(
        messages=messages,
        options=options.checked(asked.options),
        think=asked.think,
        format=asked.format,
        truncate=asked.truncate,
        shift=asked.shift,
        base_url=str(request.base_url),
        **more,
    )


async def _answer(
    server: Server,
    request: Request,
    model: Model,
    asked: Asking,
    completion: Completion,
    render: Render,
) -> Response:
    """The parts as a stream, or as one. Where nothing is asked, the model is only loaded."""
    check(model.card, asked.model, completion)
    server.residence.use(model.card, asked.keep_alive)
    if not completion.messages:
        return reply(render(Part(done_reason="unload" if asked.keep_alive == 0 else "load")))
    parts = model.complete(completion)
    if not asked.stream:
        return reply(render(await until_gone(request, collected(parts))))
    return await stream(
        parts,
        lambda part: line(render(part)),
        lambda refusal: line({"error": refusal.text}),
        NDJSON,
    )


def _conversation(asked: GenerateRequest) -> tuple[Message, ...]:
    """The prompt as a conversation; none where there is no prompt."""
    if not asked.prompt:
        return ()
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
