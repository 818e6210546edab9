"""What an Ollama server says, as values. Unknown fields are ignored, absent ones are empty.

Every `of` raises ModelServerBroken for a field of another kind than the protocol's.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from retrieval.errors import ModelServerBroken
from retrieval.ollama.values import Json, field, items

_NANOSECONDS = 1e9
_TOKENS = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer cost: tokens (None where it isn't said) and nanoseconds."""

    prompt_tokens: int | None = None
    output_tokens: int | None = None
    total_ns: int = 0
    load_ns: int = 0
    prompt_ns: int = 0
    output_ns: int = 0

    @classmethod
    def of(cls, json: Json) -> Self:
        return cls(
            prompt_tokens=field(json, "prompt_eval_count", int),
            output_tokens=field(json, "eval_count", int),
            total_ns=field(json, "total_duration", int) or 0,
            load_ns=field(json, "load_duration", int) or 0,
            prompt_ns=field(json, "prompt_eval_duration", int) or 0,
            output_ns=field(json, "eval_duration", int) or 0,
        )

    @property
    def tokens_per_second(self) -> float:
        """Tokens written a second; 0 where that isn't known."""
        if not self.output_tokens or not self.output_ns:
            return 0.0
        return self.output_tokens / self.output_ns * _NANOSECONDS


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that the model wants made. Older servers give it no id."""

    name: str
    arguments: Json
    id: str = ""

    @classmethod
    def of(cls, json: Json) -> Self:
        function = field(json, "function", dict) or {}
        return cls(
            name=field(function, "name", str) or "",
            arguments=field(function, "arguments", dict) or {},
            id=field(json, "id", str) or "",
        )


@dataclass(frozen=True, slots=True)
class ChatPart:
    """A piece of a chat or a generation; the last one may carry text too, and the usage."""

    content: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    done: bool = False
    done_reason: str = ""
    usage: Usage | None = None

    @classmethod
    def of(cls, json: Json) -> Self:
        message = field(json, "message", dict) or {}
        done = field(json, "done", bool) or False
        return cls(
            content=field(message, "content", str) or field(json, "response", str) or "",
            thinking=field(message, "thinking", str) or field(json, "thinking", str) or "",
            tool_calls=tuple(map(ToolCall.of, items(message, "tool_calls", dict))),
            done=done,
            done_reason=field(json, "done_reason", str) or "",
            usage=Usage.of(json) if done else None,
        )


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors as they came, and the tokens read for them where that is said.

    `normalised`: whether the call promises unit length.
    """

    vectors: Sequence[Sequence[float]]
    tokens: int | None = None
    normalised: bool = True


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model as `tags` lists it, or `ps`: then with `expires_at` and its memory on the GPU."""

    name: str
    digest: str = ""
    size: int = 0
    modified_at: str = ""
    details: Json = dataclasses.field(default_factory=dict)
    expires_at: str = ""
    size_vram: int = 0
    context_length: int = 0

    @classmethod
    def of(cls, json: Json) -> Self:
        name = field(json, "name", str) or field(json, "model", str)
        if not name:
            raise ModelServerBroken("The Ollama server lists a model without a name.")
        return cls(
            name=name,
            digest=field(json, "digest", str) or "",
            size=field(json, "size", int) or 0,
            modified_at=field(json, "modified_at", str) or "",
            details=field(json, "details", dict) or {},
            expires_at=field(json, "expires_at", str) or "",
            size_vram=field(json, "size_vram", int) or 0,
            context_length=field(json, "context_length", int) or 0,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What `show` tells of a model. `parameters` are those of its Modelfile, a text a value."""

    capabilities: tuple[str, ...] = ()
    details: Json = dataclasses.field(default_factory=dict)
    model_info: Json = dataclasses.field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    template: str = ""
    system: str = ""

    @classmethod
    def of(cls, json: Json) -> Self:
        return cls(
            capabilities=tuple(items(json, "capabilities", str)),
            details=field(json, "details", dict) or {},
            model_info=field(json, "model_info", dict) or {},
            parameters=_parameters(field(json, "parameters", str) or ""),
            template=field(json, "template", str) or "",
            system=field(json, "system", str) or "",
        )

    @property
    def architecture(self) -> str:
        return str(self.model_info.get("general.architecture") or "")

    @property
    def context_length(self) -> int:
        """The tokens that the model can read, 0 where it doesn't say."""
        return self._number("context_length")

    @property
    def embedding_length(self) -> int:
        return self._number("embedding_length")

    @property
    def num_ctx(self) -> int:
        """The tokens that its Modelfile lets it read, 0 where it doesn't say."""
        given = self.parameters.get("num_ctx", ("0",))[-1]
        return int(given) if _TOKENS.fullmatch(given) else 0

    def _number(self, key: str) -> int:
        found = self.model_info.get(f"{self.architecture}.{key}")
        return found if type(found) is int and found > 0 else 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull, push or creation is; `total` and `completed` in bytes."""

    status: str
    digest: str = ""
    total: int = 0
    completed: int = 0

    @classmethod
    def of(cls, json: Json) -> Self:
        return cls(
            status=field(json, "status", str) or "",
            digest=field(json, "digest", str) or "",
            total=field(json, "total", int) or 0,
            completed=field(json, "completed", int) or 0,
        )


def _parameters(text: str) -> dict[str, tuple[str, ...]]:
    """Names and values of a Modelfile's parameters, one a line; a name may come again."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        if name:
            found[name] = (*found.get(name, ()), value.strip().strip('"'))
    return found
