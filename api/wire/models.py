"""What the protocols speak about: models that describe themselves, embed and complete."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from api.wire.names import ModelName
from api.wire.native import CreateRequest, Message
from retrieval.ollama.types import ToolCall, Usage
from retrieval.types import Vectors


@dataclass(frozen=True, slots=True)
class Card:
    """How a model is described; `digest` is hexadecimal, `size` in bytes."""

    name: ModelName
    digest: str
    size: int
    modified_at: datetime
    capabilities: tuple[str, ...]
    format: str
    family: str
    parameter_size: str
    quantization: str
    context_length: int
    embedding_length: int = 0
    parent: str = ""
    parameters: str = ""
    template: str = ""
    system: str = ""
    model_info: Mapping[str, Any] = field(default_factory=dict)
    verbose_info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Completion:
    """A request to complete a conversation, whichever protocol it came in.

    `format` is None, "json" or a JSON schema. `raw` is a prompt without a template.
    """

    messages: tuple[Message, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    think: bool | str | None = None
    format: Any = None
    tools: tuple[Mapping[str, Any], ...] = ()
    truncate: bool = True
    shift: bool = True
    raw: bool = False
    suffix: str = ""
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a completion; the last one has a `done_reason`, the usage and all citations."""

    content: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    citations: tuple[Mapping[str, Any], ...] = ()
    done_reason: str = ""
    usage: Usage | None = None
    context: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class EmbeddingTimes:
    """Seconds that texts took to be tokenised, waited, and were in the model's hands."""

    tokenising: float
    queued: float
    inferring: float


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors `(n, d) float32`, the tokens that were read for them, and what took how long."""

    vectors: Vectors
    tokens: int
    times: EmbeddingTimes | None = None


class Model(Protocol):
    """A model that this server runs."""

    @property
    def card(self) -> Card: ...

    async def embed(
        self, texts: Sequence[str], limit: int, truncate: bool, urgent: bool = False
    ) -> Embedded:
        """Vectors of texts of at most `limit` tokens each, those first that are urgent. Raises
        Refusal.
        """

    def complete(self, completion: Completion) -> AsyncGenerator[Part]:
        """The parts of an answer as they come. Raises Refusal."""


class Models(Protocol):
    """The models of a server, and what can be done with them."""

    async def find(self, name: ModelName) -> Model | None: ...

    async def cards(self) -> Sequence[Card]:
        """All models, the newest first."""

    async def copy(self, source: ModelName, destination: ModelName, /) -> None: ...

    async def delete(self, name: ModelName) -> None: ...

    def pull(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]:
        """The lines of progress."""

    def push(self, name: ModelName) -> AsyncGenerator[Mapping[str, Any]]: ...

    def create(
        self, name: ModelName, request: CreateRequest
    ) -> AsyncGenerator[Mapping[str, Any]]: ...

    async def has_blob(self, digest: str, /) -> bool: ...

    async def add_blob(self, digest: str, data: AsyncIterator[bytes], /) -> bool:
        """Keep the bytes; whether they are new. `data` raises Refusal if they aren't right."""
