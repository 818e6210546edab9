"""What is kept of an answer: what was asked, what decided, and what was said.

It is enough to ask again and to compare. Hits are kept as places, without their text; prompts,
quotes and conversations hold text of documents.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from pydantic import TypeAdapter

from retrieval.answering import Question
from retrieval.conversation import Turn
from retrieval.search import Weighing
from retrieval.types import Answer, Citation, Hit, KnowledgeBaseSettings, Statement


@dataclass(frozen=True, slots=True)
class Candidate:
    """A hit: the span of a document's version, where it stood and what it scored."""

    document_id: str
    version: str
    uri: str
    start: int
    end: int
    rank: int
    score: float

    @classmethod
    def of(cls, hit: Hit) -> Self:
        chunk = hit.chunk
        place = (chunk.document_id, chunk.version, hit.uri, chunk.start, chunk.end)
        return cls(*place, hit.rank, hit.score)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What decides an answer besides the question and the documents.

    `package` is the version of Footnote, `generation` the id of the index that was searched,
    `fingerprint` that of its model and chunker, `runtime` what computed the question's vector.
    `least` is the confidence below which none is given, `reading` a fingerprint of the weights that
    choose quotes and tell that confidence. `budget`: tokens for a prompt, 0 without one.
    """

    package: str
    generation: str
    fingerprint: str
    runtime: str
    settings: KnowledgeBaseSettings
    weighing: Weighing | None
    least: float
    reading: str
    budget: int


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer said, without what it cost."""

    text: str
    citations: tuple[Citation, ...]
    closest: tuple[Citation, ...]
    statements: tuple[Statement, ...]
    abstained: bool
    confidence: float

    @classmethod
    def of(cls, answer: Answer) -> Self:
        return cls(
            answer.text,
            answer.citations,
            answer.closest,
            answer.statements,
            answer.abstained,
            answer.confidence,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One answer.

    `query` is what was searched for, `rewritten` where a chat model put it, at this `epoch` of the
    knowledge base: a number that grows with every change of its documents. `prompt` are the
    messages as they were sent to the chat model, none where no model was asked; `digest` is that of
    its files, empty where its server doesn't tell.
    """

    question: Question
    query: str
    rewritten: bool
    epoch: int
    configuration: Configuration
    candidates: tuple[Candidate, ...]
    prompt: tuple[Turn, ...]
    model: str
    digest: str
    said: Said

    @property
    def seed(self) -> int | None:
        """What the chat model drew its words by, where it was told."""
        return self.question.options.get("seed")

    @property
    def documents(self) -> frozenset[str]:
        """The ids of those that text of is in it, but for the conversation."""
        quoted = (one.document_id for one in (*self.said.citations, *self.said.closest))
        return frozenset([*(one.document_id for one in self.candidates), *quoted])

    @property
    def continues(self) -> bool:
        """Whether an answer stands in its conversation, which may quote any document."""
        return any(turn.role == "assistant" for turn in self.question.history)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Record":
        return _adapter().validate_python(value)


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A record as it is kept. `kb_id` is that of its knowledge base."""

    id: str
    kb_id: str
    created_at: float
    record: Record
