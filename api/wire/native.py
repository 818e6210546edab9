"""The requests of Ollama's own API, under Go's names, which its error texts mention."""

from dataclasses import dataclass
from typing import Any

from api.wire.structs import (
    anything,
    arguments,
    boolean,
    duration,
    field,
    image,
    integer,
    mapping,
    nested,
    several,
    string,
    think,
)


@dataclass(frozen=True, slots=True)
class ToolCallFunction:
    name: str = field(string, "")
    arguments: dict[str, Any] = field(arguments, dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    id: str = field(string, "")
    function: ToolCallFunction = field(nested(ToolCallFunction), ToolCallFunction)


@dataclass(frozen=True, slots=True)
class Message:
    role: str = field(string, "")
    content: str = field(string, "")
    thinking: str = field(string, "")
    images: tuple[bytes, ...] = field(several(image, "api.ImageData"), ())
    tool_calls: tuple[ToolCall, ...] = field(several(nested(ToolCall), "api.ToolCall"), ())
    tool_name: str = field(string, "")
    tool_call_id: str = field(string, "")


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    model: str = field(string, "")
    input: Any = field(anything)
    keep_alive: float | None = field(duration)
    truncate: bool = field(boolean, True)
    dimensions: int = field(integer, 0)
    options: dict[str, Any] = field(mapping, dict)


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    model: str = field(string, "")
    prompt: str = field(string, "")
    keep_alive: float | None = field(duration)
    options: dict[str, Any] = field(mapping, dict)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a chat and a generation have in common."""

    model: str = field(string, "")
    stream: bool = field(boolean, True)
    format: Any = field(anything)
    keep_alive: float | None = field(duration)
    options: dict[str, Any] = field(mapping, dict)
    think: bool | str | None = field(think)
    truncate: bool = field(boolean, True)
    shift: bool = field(boolean, True)
    top_logprobs: int = field(integer, 0)


@dataclass(frozen=True, slots=True)
class ChatRequest(Asking):
    messages: tuple[Message, ...] = field(several(nested(Message), "api.Message"), ())
    tools: tuple[dict[str, Any], ...] = field(several(mapping, "api.Tool"), ())


@dataclass(frozen=True, slots=True)
class GenerateRequest(Asking):
    prompt: str = field(string, "")
    suffix: str = field(string, "")
    system: str = field(string, "")
    template: str = field(string, "")
    context: tuple[int, ...] = field(several(integer, "int"), ())
    raw: bool = field(boolean, False)
    images: tuple[bytes, ...] = field(several(image, "api.ImageData"), ())


@dataclass(frozen=True, slots=True)
class ShowRequest:
    model: str = field(string, "")
    name: str = field(string, "")
    system: str = field(string, "")
    template: str = field(string, "")
    verbose: bool = field(boolean, False)
    options: dict[str, Any] = field(mapping, dict)


@dataclass(frozen=True, slots=True)
class CopyRequest:
    source: str = field(string, "")
    destination: str = field(string, "")


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    model: str = field(string, "")
    name: str = field(string, "")


@dataclass(frozen=True, slots=True)
class PullRequest(DeleteRequest):
    stream: bool = field(boolean, True)
    insecure: bool = field(boolean, False)


@dataclass(frozen=True, slots=True)
class PushRequest(PullRequest):
    """The same, the other way."""


@dataclass(frozen=True, slots=True)
class CreateRequest:
    model: str = field(string, "")
    name: str = field(string, "")
    stream: bool = field(boolean, True)
    source: str = field(string, "", key="from")
    files: dict[str, Any] = field(mapping, dict)
    system: str = field(string, "")
