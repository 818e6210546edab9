"""The shapes of replies: those of the official clients, and of errors that those leave open."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import ollama
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel, ConfigDict, TypeAdapter

Shape = TypeAdapter[Any]


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _OllamaError(_Exact):
    error: str


class _OpenAIErrorBody(_Exact):
    message: str
    type: str
    param: None
    code: None


class _OpenAIError(_Exact):
    error: _OpenAIErrorBody


class _AnthropicErrorBody(_Exact):
    type: str
    message: str


class _AnthropicError(_Exact):
    type: str
    error: _AnthropicErrorBody
    request_id: str = ""


class _AnthropicMessage(BaseModel):
    id: str
    type: str
    role: str
    model: str
    content: list[dict[str, Any]]
    stop_reason: str | None
    usage: dict[str, int]


class _AnthropicEvent(BaseModel):
    type: str


class _Version(_Exact):
    version: str


class _ModelList(BaseModel):
    object: str
    data: list[Model]


_REPLIES: Mapping[str, Any] = {
    "/api/version": _Version,
    "/api/tags": ollama.ListResponse,
    "/api/ps": ollama.ProcessResponse,
    "/api/show": ollama.ShowResponse,
    "/api/embed": ollama.EmbedResponse,
    "/api/embeddings": ollama.EmbeddingsResponse,
    "/api/chat": ollama.ChatResponse,
    "/api/generate": ollama.GenerateResponse,
    "/api/create": ollama.ProgressResponse,
    "/api/pull": ollama.ProgressResponse,
    "/api/push": ollama.ProgressResponse,
    "/v1/models": _ModelList,
    "/v1/models/{id*}": Model,
    "/v1/embeddings": CreateEmbeddingResponse,
    "/v1/chat/completions": ChatCompletion,
    "/v1/completions": Completion,
    "/v1/responses": Response,
    "/v1/messages": _AnthropicMessage,
}
_EVENTS: Mapping[str, Any] = {
    "/v1/chat/completions": ChatCompletionChunk,
    "/v1/completions": Completion,
    "/v1/responses": ResponseStreamEvent,
    "/v1/messages": _AnthropicEvent,
}
_SILENT = frozenset(
    {"/api/copy", "/api/delete", "/api/blobs/{digest}"}
)  # no body, where all is well


def check_reply(path: str, kind: str, body: bytes) -> None:
    """Raises ValueError where the body of a success isn't what the path's clients read."""
    if path in _SILENT:
        _check(body == b"", body)
    elif kind.startswith("text/event-stream"):
        for one in _events(body):
            _either(_EVENTS[path], _error(path)).validate_python(_completed(one))
    elif kind.startswith("application/x-ndjson"):
        for line in body.splitlines():
            _either(_REPLIES[path], _error(path)).validate_json(line)
    else:
        TypeAdapter(_REPLIES[path]).validate_python(_completed(json.loads(body)))


def check_error(path: str, body: bytes) -> str:
    """What an error says. Raises ValueError where it isn't written as the path's protocol does."""
    found = TypeAdapter(_error(path)).validate_json(body)
    text: str = found.error if isinstance(found, _OllamaError) else found.error.message
    _check(text != "", body)
    return text


def _error(path: str) -> Any:
    if path == "/v1/messages":
        return _AnthropicError
    return _OpenAIError if path.startswith("/v1/") else _OllamaError


def _either(reply: Any, error: Any) -> Shape:
    return TypeAdapter(error | reply)


def _completed(one: Any) -> Any:
    """With what the types of OpenAI's newest client ask for and an Ollama server doesn't send: the
    client itself goes without.
    """
    if not isinstance(one, dict):
        return one
    for choice in one.get("choices", ()):
        if choice.get("finish_reason", "") is None and one.get("object") == "text_completion":
            choice["finish_reason"] = "stop"
    response = one.get("response")  # a text in Ollama's own protocol
    usage = (response if isinstance(response, dict) else one).get("usage") or {}
    if "input_tokens_details" in usage:
        usage["input_tokens_details"].setdefault("cache_write_tokens", 0)
    return one


def _events(body: bytes) -> Iterator[Any]:
    """The data of server-sent events, without what only ends them."""
    for block in body.decode().split("\n\n")[:-1]:
        data = block.rpartition("data: ")[2]
        if data != "[DONE]":
            yield json.loads(data)


def _check(right: bool, body: bytes) -> None:
    if not right:
        raise ValueError(repr(body[:300]))
