"""What the native interface gives, as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Self

from pydantic import BaseModel, Field

from api import evaluating
from api.evaluations import Evaluation, Kept, Source
from api.reindexing import Status
from api.rendering import to_html
from api.requests import ChunkingSettings
from ingest.job_store import Job
from ingest.types import PageBoxes, Stage
from retrieval import types
from retrieval.engine import Engine
from retrieval.explaining import Why
from retrieval.feedback import Feedback
from retrieval.fusion import Fusion
from retrieval.search import Found


class TrialReply(BaseModel):
    questions: int = Field(description="Sentences of the text, searched for")
    dense: float = Field(description="Mean reciprocal rank of the dense leg")
    lexical: float = Field(description="Of the lexical leg")
    equal: float = Field(description="Of both, weighing as much")
    weighted: float = Field(description="Of both with this weight")


class CalibrationReply(BaseModel):
    """How much the dense leg weighs, from questions made of the text, and what that does."""

    weight: float
    kept: bool = Field(description="Whether it held on the questions that were left out")
    tuned: TrialReply
    held_out: TrialReply
    chunks: int = Field(description="That there were when it was made")
    made_at: float


class RecallReply(BaseModel):
    """What the vector index finds of the ten nearest chunks, looked up for some live questions."""

    lookups: int
    recall: float | None = Field(description="The mean of the last 100; unknown without any")
    reach: int = Field(description="Candidates it looks at for that; 0: as many as by itself")


class KnowledgeBaseReply(BaseModel):
    name: str
    description: str
    documents: int
    chunks: int
    chunking: ChunkingSettings
    fusion: Fusion
    dense_weight: float | None
    chat_model: str
    system_prompt: str
    min_confidence: float | None
    embedding_model: str
    calibration: CalibrationReply | None
    index: RecallReply
    created_at: float

    @classmethod
    def of(cls, engine: Engine, kb: types.KnowledgeBase) -> Self:
        cut, calibration = kb.settings.chunking, engine.calibrations.of(kb)
        counts = engine.knowledge_bases.counts(kb)
        return cls(
            name=kb.name,
            description=kb.settings.description,
            documents=counts[0],
            chunks=counts[1],
            chunking=ChunkingSettings(tokens=cut.tokens, overlap=cut.overlap),
            fusion=kb.settings.fusion,
            dense_weight=kb.settings.dense_weight,
            chat_model=kb.settings.chat_model,
            system_prompt=kb.settings.system_prompt,
            min_confidence=kb.settings.min_confidence,
            embedding_model=kb.generation.model.name,
            calibration=calibration
            and CalibrationReply.model_validate(calibration.found, from_attributes=True),
            index=RecallReply.model_validate(engine.watch.recall(kb), from_attributes=True),
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


class EvaluationReply(BaseModel):
    state: str = Field(description="none, waiting, measuring, done, failed or stopped")
    source: Source | None
    step: str = Field(description="What it is at: candidates, or a run")
    done: int = Field(description="Questions of that step")
    total: int
    error: str
    result: Evaluation | None = Field(description="The last one that came to its end")

    @classmethod
    def of(cls, status: evaluating.Status | None, kept: Kept | None) -> Self:
        """A status, or where there is none, that of what was kept before."""
        result = kept.evaluation if kept else None
        if status is None:
            state = "done" if result else "none"
            status = evaluating.Status(state, result.source if result else None)
        return cls(**asdict(status), result=result)


class QueueReply(BaseModel):
    counts: dict[str, int] = Field(description="How many jobs are in each state")
    jobs: list[JobReply] = Field(description="The newest first")

    @classmethod
    def of(cls, counts: Mapping[Stage, int], jobs: Sequence[Job]) -> Self:
        return cls(
            counts={stage.value: n for stage, n in counts.items()},
            jobs=[JobReply.of(job) for job in jobs],
        )


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


class VersionReply(BaseModel):
    version: str
    live: bool = Field(description="Whether it is the one that searches see")
    title: str
    name: str
    media_type: str
    size: int
    characters: int
    warnings: list[str]
    created_at: float

    @classmethod
    def of(cls, summary: types.VersionSummary) -> Self:
        return cls.model_validate(summary, from_attributes=True)


class VersionsReply(BaseModel):
    versions: list[VersionReply] = Field(description="The newest first")


class BoxReply(BaseModel):
    page: int
    left: float
    top: float
    right: float
    bottom: float


class PageSizeReply(BaseModel):
    number: int
    label: str
    width: float
    height: float


class BoxesReply(BaseModel):
    boxes: list[BoxReply] = Field(description="In points from the top left corner of the page")
    pages: list[PageSizeReply] = Field(
        description="The pages that have boxes, as large as they are seen, in points: a box's "
        "left / width is the same on a picture of any size"
    )

    @classmethod
    def of(cls, found: Sequence[PageBoxes]) -> Self:
        boxes = [box for each in found for box in each.boxes]
        pages = [
            PageSizeReply(
                number=each.page.number, label=each.page.label, width=each.width, height=each.height
            )
            for each in found
        ]
        return cls.model_validate({"boxes": boxes, "pages": pages}, from_attributes=True)


class PageReply(BaseModel):
    number: int = Field(description="From 1, in the order of the text")
    label: str = Field(description="What a reader calls it: iv, 12, slide 3")
    start: int
    end: int


class PagesReply(BaseModel):
    version: str
    pages: list[PageReply]

    @classmethod
    def of(cls, document: types.Document) -> Self:
        return cls.model_validate(document, from_attributes=True)


class DocumentsReply(BaseModel):
    total: int
    documents: list[DocumentReply]


class FeedbackReply(BaseModel):
    id: str
    question: str
    document_id: str
    uri: str
    version: str
    live: bool = Field(description="Whether that version is the one that searches see")
    start: int | None = Field(description="None where the whole document is meant")
    end: int | None
    helpful: bool
    created_at: float

    @classmethod
    def of(cls, feedback: Feedback) -> Self:
        return cls.model_validate(feedback, from_attributes=True)


class FeedbackListReply(BaseModel):
    total: int
    feedback: list[FeedbackReply]


class LegReply(BaseModel):
    name: str
    rank: int
    score: float
    share: float = Field(description="What it adds to the score of the hit")


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
            legs=[LegReply.model_validate(leg, from_attributes=True) for leg in hit.legs],
        )


class WeighingReply(BaseModel):
    fusion: Fusion
    weight: float = Field(description="Share of the dense leg")
    origin: str = Field(description="settings, calibration or default")
    mean: float | None = Field(description="Of the question's cosines with all chunks")
    deviation: float | None = Field(description="Their standard deviation")
    reranker: str | None = Field(description="What ordered the best of them anew")
    reranked: int = Field(description="How many of them, from the first")
    legible: float = Field(
        description="Share of the question's tokens that the embedding model knows as words, a "
        "piece of one counting half: unless it is set, the weight is scaled with it"
    )


class StandingReply(BaseModel):
    score: float
    rank: int | None = Field(description="Among all chunks; none beyond what is looked at")


class WhyReply(BaseModel):
    document_id: str
    title: str
    reason: str
    rank: int | None = Field(description="Of the hit that it is, if it is one")
    score: float | None = Field(description="Of its best chunk")
    last_score: float | None = Field(description="Of the last hit")
    dense: StandingReply | None
    lexical: StandingReply | None
    missing: list[str] = Field(description="Terms of the query that its best chunk lacks")


class SearchReply(BaseModel):
    hits: list[HitReply]
    timings: dict[str, float] = Field(description="Seconds")
    weighing: WeighingReply | None = Field(None, description="With `explain`: how it was fused")
    why: WhyReply | None = Field(None, description="Of the document that was asked about")

    @classmethod
    def of(cls, found: Found, *, explain: bool = False, why: Why | None = None) -> Self:
        weighing = found.weighing if explain else None
        return cls(
            hits=[HitReply.of(hit) for hit in found.hits],
            timings=dict(found.timings),
            weighing=weighing and WeighingReply.model_validate(weighing, from_attributes=True),
            why=why and WhyReply.model_validate(why, from_attributes=True),
        )


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


class StatementReply(BaseModel):
    text: str
    outcome: types.Outcome
    markers: list[int]
    removed: int = Field(description="Marks of the chat model that were taken out")
    differences: list[str] = Field(description="What the nearest passage says otherwise")


class AnswerReply(BaseModel):
    id: str | None = Field(
        description="Of its record; none where answers aren't stored, or this one couldn't be"
    )
    query: str = Field(description="What was searched for")
    text: str
    html: str | None = Field(
        description="With `html`: the text as safe HTML; marks lead to `#note-N`, sentences that "
        "aren't verified have the class `unsupported` or `contradicted`, on a block where none of "
        "their words is seen"
    )
    citations: list[CitationReply]
    closest: list[CitationReply] = Field(description="Where it abstains: what comes nearest")
    statements: list[StatementReply] = Field(description="Each sentence, and what was found out")
    hits: list[HitReply]
    abstained: bool
    confidence: float
    model: str
    usage: dict[str, int]
    timings: dict[str, float] = Field(description="Seconds")

    @classmethod
    def of(cls, answer: types.Answer, *, html: bool = False) -> Self:
        return cls(
            id=answer.id,
            query=answer.query,
            text=answer.text,
            html=to_html(answer) if html else None,
            citations=[CitationReply.of(citation) for citation in answer.citations],
            closest=[CitationReply.of(citation) for citation in answer.closest],
            statements=[StatementReply(**asdict(one)) for one in answer.statements],
            hits=[HitReply.of(hit) for hit in answer.hits],
            abstained=answer.abstained,
            confidence=answer.confidence,
            model=answer.model,
            usage=asdict(answer.usage),
            timings=dict(answer.timings),
        )


class FaultReply(BaseModel):
    at: str = Field(description="Where in the request, as `body.k`")
    message: str


class Problem(BaseModel):
    """An error, as RFC 9457 describes it."""

    type: str
    title: str = Field(description="The kind of error, for programs")
    status: int
    detail: str = Field(description="What was wrong and what to do, for people")
    request_id: str | None = Field(None, description="As in the reply's X-Request-ID and the log")
    errors: list[FaultReply] | None = Field(
        None, description="With 422, where parts of the request don't fit: which"
    )
