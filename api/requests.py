"""What the native interface takes, as JSON."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from retrieval import types
from retrieval.search import MAX_K, MAX_QUERY
from retrieval.types import Mode

MAX_DOCUMENTS = 1_000  # texts in one request


def _fractional(value: object) -> object:
    """A whole number beyond 2**53 must not become a float that is another number."""
    if isinstance(value, int):
        raise ValueError("a whole number beyond 2**53; send it as text")  # noqa: TRY004 - Pydantic's
    return value


Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Scalar = str | bool | Whole | Annotated[FiniteFloat, BeforeValidator(_fractional)]
Metadata = dict[Annotated[str, Field(min_length=1, max_length=128)], Scalar | list[Scalar]]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChunkingSettings(_Request):
    tokens: int = Field(
        0, ge=0, le=32_768, description="Most tokens of a chunk; 0: the embedder's window"
    )
    overlap: int = Field(
        32, ge=0, le=32_768, description="Tokens repeated from one chunk to the next"
    )


class KnowledgeBaseRequest(_Request):
    chunking: ChunkingSettings = ChunkingSettings()
    dense_weight: float = Field(0.5, ge=0, le=1, description="Share of the dense leg")

    def settings(self) -> types.KnowledgeBaseSettings:
        return types.KnowledgeBaseSettings(
            types.Chunking(self.chunking.tokens, self.chunking.overlap), self.dense_weight
        )


class TextDocument(_Request):
    text: str = Field(description="The document itself")
    uri: str | None = Field(
        None, min_length=1, max_length=2048, description="Its identity; by default its content"
    )
    title: str | None = Field(None, min_length=1, max_length=500)
    metadata: Metadata | None = None


class TextDocuments(_Request):
    documents: list[TextDocument] = Field(min_length=1, max_length=MAX_DOCUMENTS)


class SearchRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"query": "运费险", "k": 5, "mode": "hybrid", "filter": {"year": 2026}}]
        },
    )

    query: str = Field(max_length=MAX_QUERY)
    k: int = Field(10, ge=1, le=MAX_K)
    mode: Mode = Mode.HYBRID
    filter: dict[str, Any] = Field(default_factory=dict, description="See Filters in the README")


class AskRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"question": "How long is the warranty?"}]},
    )

    question: str = Field(max_length=MAX_QUERY)
    k: int = Field(10, ge=1, le=100, description="Chunks to look at")
    filter: dict[str, Any] = Field(default_factory=dict)
    stream: bool = Field(False, description="Server-sent events token, citation, done")
