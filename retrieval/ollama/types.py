"""What an Ollama server says, as values. Unknown fields are ignored, absent ones are empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

Json = Mapping[str, Any]

_NANOSECONDS = 1e9


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
            prompt_tokens=json.get("prompt_eval_count"),
            output_tokens=json.get("eval_count"),
            total_ns=json.get("total_duration") or 0,
            load_ns=json.get("load_duration") or 0,
            prompt_ns=json.get("prompt_eval_duration") or 0,
            output_ns=json.get("eval_duration") or 0,
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
        function = json.get("function") or {}
        arguments = function.get("arguments") or {}
        return cls(str(function.get("name") or ""), arguments, str(json.get("id") or ""))


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
        message = json.get("message") or {}
        done = bool(json.get("done"))
        return cls(
            content=message.get("content") or json.get("response") or "",
            thinking=message.get("thinking") or json.get("thinking") or "",
            tool_calls=tuple(map(ToolCall.of, message.get("tool_calls") or ())),
            done=done,
            done_reason=json.get("done_reason") or "",
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
    details: Json = field(default_factory=dict)
    expires_at: str = ""
    size_vram: int = 0
    context_length: int = 0

    @classmethod
    def of(cls, json: Json) -> Self:
        return cls(
            name=str(json.get("name") or json.get("model") or ""),
            digest=str(json.get("digest") or ""),
            size=json.get("size") or 0,
            modified_at=str(json.get("modified_at") or ""),
            details=json.get("details") or {},
            expires_at=str(json.get("expires_at") or ""),
            size_vram=json.get("size_vram") or 0,
            context_length=json.get("context_length") or 0,
        )


@dataclass(frozen=True, slots=True)
class Shown:
    """What `show` tells of a model. `parameters` are those of its Modelfile, a text a value."""

    capabilities: tuple[str, ...] = ()
    details: Json = field(default_factory=dict)
    model_info: Json = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    template: str = ""
    system: str = ""

    @classmethod
    def of(cls, json: Json) -> Self:
        return cls(
            capabilities=tuple(json.get("capabilities") or ()),
            details=json.get("details") or {},
            model_info=json.get("model_info") or {},
            parameters=_parameters(json.get("parameters") or ""),
            template=json.get("template") or "",
            system=json.get("system") or "",
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
        return int(given) if given.isascii() and given.isdigit() else 0

    def _number(self, key: str) -> int:
        found = self.model_info.get(f"{self.architecture}.{key}")
        return found if isinstance(found, int) else 0


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
            status=str(json.get("status") or ""),
            digest=str(json.get("digest") or ""),
            total=json.get("total") or 0,
            completed=json.get("completed") or 0,
        )


def _parameters(text: str) -> dict[str, tuple[str, ...]]:
    """Names and values of a Modelfile's parameters, one a line; a name may come again."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        if name:
            found[name] = (*found.get(name, ()), value.strip().strip('"'))
    return found
