"""What the native interface gives, as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Self

from pydantic import BaseModel, Field

from api.reindexing import Status
from api.requests import ChunkingSettings
from ingest.job_store import Job
from retrieval import types
from retrieval.fusion import Fusion
from retrieval.search import Found


class KnowledgeBaseReply(BaseModel):
    name: str
    documents: int
    chunks: int
    chunking: ChunkingSettings
    fusion: Fusion
    dense_weight: float | None
    chat_model: str
    system_prompt: str
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
            fusion=kb.settings.fusion,
            dense_weight=kb.settings.dense_weight,
            chat_model=kb.settings.chat_model,
            system_prompt=kb.settings.system_prompt,
            embedding_model=kb.generation.model.name,
            created_at=kb.created_at,
        )


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
    error: dict[str, str] | None = Field(description="Why it failed, or was put off")
    attempts: int
    retry_at: float | None = Field(description="When a job that was put off is tried again")
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
            attempts=job.attempts,
            retry_at=job.retry_at,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobsReply(BaseModel):
    jobs: list[JobReply]


class ComparisonReply(BaseModel):
    questions: int
    old: float = Field(description="Mean reciprocal rank of the live generation")
    new: float = Field(description="Mean reciprocal rank of the new one")
    p: float = Field(description="How likely a loss like this is, were both equally good")
    worse: bool


class ReindexReply(BaseModel):
    state: str = Field(description="none, building, switched, refused, failed or stopped")
    model: str
    done: int = Field(description="Documents that are in the new generation")
    total: int
    comparison: ComparisonReply | None
    error: str

    @classmethod
    def of(cls, status: Status | None) -> Self:
        return cls.model_validate(status or Status("none", ""), from_attributes=True)


class QueueReply(BaseModel):
    counts: dict[str, int] = Field(description="How many jobs are in each state")
    jobs: list[JobReply] = Field(description="The newest first")


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
            usage=asdict(answer.usage),
            timings=dict(answer.timings),
        )


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
