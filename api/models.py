"""What the native interface takes and gives, as JSON."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat

from ingest.job_store import Job
from retrieval import types
from retrieval.search import MAX_K, MAX_QUERY, Found
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


class KnowledgeBaseReply(BaseModel):
    name: str
    documents: int
    chunks: int
    chunking: ChunkingSettings
    dense_weight: float
    embedding_model: str
    created_at: float

    @classmethod
    def of(cls, kb: types.KnowledgeBase, counts: tuple[int, int]) -> Self:
        cut = kb.settings.chunking
        return cls(
            name=kb.name,
            documents=counts[0],
            chunks=counts[1],
            chunking=ChunkingSettings(tokens=cut.tokens, overlap=cut.overlap),
            dense_weight=kb.settings.dense_weight,
            embedding_model=kb.generation.model.name,
            created_at=kb.created_at,
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


class JobReply(BaseModel):
    id: str
    kb: str
    document_id: str
    uri: str
    state: str = Field(
        description="queued, parsing, chunking, embedding, writing, done, failed or cancelled"
    )
    outcome: str | None = Field(description="added, updated, unchanged or duplicate, when done")
    done: int = Field(description="Chunks embedded so far")
    total: int = Field(description="Chunks in all, once known")
    error: dict[str, str] | None
    created_at: float
    updated_at: float

    @classmethod
    def of(cls, job: Job) -> Self:
        error = {"kind": job.error.kind, "message": job.error.message} if job.error else None
        return cls(
            id=job.id,
            kb=job.knowledge_base,
            document_id=job.document_id,
            uri=job.uri,
            state=job.state.value,
            outcome=job.outcome,
            done=job.done,
            total=job.total,
            error=error,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobsReply(BaseModel):
    jobs: list[JobReply]


class DocumentReply(BaseModel):
    id: str
    uri: str
    version: str
    title: str
    name: str
    media_type: str
    size: int
    characters: int
    pages: int
    chunks: int
    metadata: dict[str, Any]
    warnings: list[str]
    created_at: float
    updated_at: float

    @classmethod
    def of(cls, summary: types.DocumentSummary) -> Self:
        return cls.model_validate(summary, from_attributes=True)


class BoxReply(BaseModel):
    page: int
    left: float
    top: float
    right: float
    bottom: float


class BoxesReply(BaseModel):
    boxes: list[BoxReply] = Field(description="In points from the top left corner of the page")

    @classmethod
    def of(cls, boxes: Sequence[types.Box]) -> Self:
        return cls.model_validate({"boxes": boxes}, from_attributes=True)


class DocumentsReply(BaseModel):
    total: int
    documents: list[DocumentReply]


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


class LegReply(BaseModel):
    name: str
    rank: int
    score: float


class HitReply(BaseModel):
    chunk_id: str
    document_id: str
    version: str
    uri: str
    title: str
    heading: list[str]
    page: str | None
    start: int
    end: int
    text: str
    score: float
    rank: int
    legs: list[LegReply]

    @classmethod
    def of(cls, hit: types.Hit) -> Self:
        return cls(
            chunk_id=hit.chunk.id,
            document_id=hit.chunk.document_id,
            version=hit.chunk.version,
            uri=hit.uri,
            title=hit.title,
            heading=list(hit.chunk.heading),
            page=hit.page,
            start=hit.chunk.start,
            end=hit.chunk.end,
            text=hit.text,
            score=hit.score,
            rank=hit.rank,
            legs=[LegReply(name=leg.name, rank=leg.rank, score=leg.score) for leg in hit.legs],
        )


class SearchReply(BaseModel):
    hits: list[HitReply]
    timings: dict[str, float] = Field(description="Seconds")

    @classmethod
    def of(cls, found: Found) -> Self:
        return cls(hits=[HitReply.of(hit) for hit in found.hits], timings=dict(found.timings))


class AskRequest(_Request):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"question": "How long is the warranty?"}]},
    )

    question: str = Field(max_length=MAX_QUERY)
    k: int = Field(10, ge=1, le=100, description="Chunks to look at")
    filter: dict[str, Any] = Field(default_factory=dict)
    stream: bool = Field(False, description="Server-sent events token, citation, done")


class CitationReply(BaseModel):
    marker: int
    document_id: str
    version: str
    uri: str
    title: str
    start: int
    end: int
    quote: str
    page: str | None
    verified: bool
    support: float

    @classmethod
    def of(cls, citation: types.Citation) -> Self:
        return cls.model_validate(citation, from_attributes=True)


class AnswerReply(BaseModel):
    text: str
    citations: list[CitationReply]
    hits: list[HitReply]
    abstained: bool
    confidence: float
    model: str
    usage: dict[str, int]
    timings: dict[str, float] = Field(description="Seconds")

    @classmethod
    def of(cls, answer: types.Answer) -> Self:
        return cls(
            text=answer.text,
            citations=[CitationReply.of(citation) for citation in answer.citations],
            hits=[HitReply.of(hit) for hit in answer.hits],
            abstained=answer.abstained,
            confidence=answer.confidence,
            model=answer.model,
            usage={"considered": answer.usage.considered, "used": answer.usage.used},
            timings=dict(answer.timings),
        )


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
