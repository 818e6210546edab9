"""Stored answers and what a replay finds, as JSON."""

from dataclasses import asdict
from typing import Self

from pydantic import BaseModel, Field

from retrieval.answer_log import AnswerSummary
from retrieval.answering import Question
from retrieval.changes import Change
from retrieval.conversation import Turn
from retrieval.records import (
    Candidate,
    Configuration,
    Record,
    Said,
    StoredAnswer,
)
from retrieval.replays import Replay
from retrieval.types import Citation


class AnswerSummaryReply(BaseModel):
    id: str
    created_at: float
    question: str
    text: str
    model: str
    abstained: bool
    confidence: float

    @classmethod
    def of(cls, summary: AnswerSummary) -> Self:
        return cls.model_validate(summary, from_attributes=True)


class AnswersReply(BaseModel):
    total: int
    answers: list[AnswerSummaryReply]


class StoredAnswerReply(BaseModel):
    id: str
    created_at: float
    question: Question
    query: str = Field(description="What was searched for")
    rewritten: bool = Field(description="Whether a chat model put the query")
    epoch: int = Field(description="Of the knowledge base: it grows when documents change")
    configuration: Configuration
    candidates: list[Candidate]
    prompt: list[Turn] = Field(description="As the chat model was sent it; none without one")
    model: str
    digest: str = Field(description="Of the chat model's files, where its server tells it")
    seed: int | None
    said: Said

    @classmethod
    def of(cls, stored: StoredAnswer) -> Self:
        record = stored.record
        own = {"id": stored.id, "created_at": stored.created_at, "seed": record.seed}
        return cls.model_validate(asdict(record) | own)


class MovedReply(BaseModel):
    before: Candidate
    after: Candidate


class CandidatesReply(BaseModel):
    """What the search finds now, beside what it found."""

    same: bool = Field(description="In the same order, with the same scores to the last bit")
    came: list[Candidate]
    gone: list[Candidate]
    moved: list[MovedReply] = Field(description="With another rank or score")


class PromptReply(BaseModel):
    same: bool = Field(description="Byte by byte")
    diff: list[str] = Field(description="The lines of a unified diff")


class SaidReply(BaseModel):
    """The answer now, beside what it was."""

    same: bool
    diff: list[str] = Field(description="The lines of a unified diff of the texts")
    came: list[Citation]
    gone: list[Citation]
    judged: list[Change] = Field(description="Confidence, and support of citations")


class ReplayReply(BaseModel):
    id: str
    same: bool = Field(
        description="Candidates and prompt are, and the answer, unless a chat model wrote it"
    )
    by_chat_model: bool
    changes: list[Change] = Field(description="Of the index, the configuration and the model")
    candidates: CandidatesReply
    prompt: PromptReply
    answer: SaidReply
    now: Record

    @classmethod
    def of(cls, replay: Replay) -> Self:
        moved = [MovedReply(before=before, after=after) for before, after in replay.moved]
        return cls(
            id=replay.stored.id,
            same=replay.same,
            by_chat_model=replay.by_chat_model,
            changes=list(replay.changes),
            candidates=CandidatesReply(
                same=replay.same_candidates,
                came=list(replay.came),
                gone=list(replay.gone),
                moved=moved,
            ),
            prompt=PromptReply(same=replay.same_prompt, diff=list(replay.prompt)),
            answer=SaidReply(
                same=replay.same_answer,
                diff=list(replay.text),
                came=list(replay.cited),
                gone=list(replay.uncited),
                judged=list(replay.judged),
            ),
            now=replay.now,
        )
