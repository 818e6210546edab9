"""The vocabulary: the values that pass between the steps.

All are frozen. A step returns a new value and never writes into what it was given.
Every offset counts Unicode code points of a document's canonical text, so
`document.text[start:end]` is the text of a span, in every script.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from retrieval.embedding.identity import ModelIdentity
from retrieval.fusion import Fusion

Vector: TypeAlias = NDArray[np.float32]
"""One embedding: `(d,) float32`, unit norm."""

Vectors: TypeAlias = NDArray[np.float32]
"""Embeddings: `(n, d) float32`, unit norm."""

Scalar: TypeAlias = str | int | float | bool
MetadataValue: TypeAlias = Scalar | tuple[Scalar, ...]
Metadata: TypeAlias = Mapping[str, MetadataValue]


def to_metadata(given: Mapping[str, Any]) -> Metadata:
    """Metadata as JSON holds it, with the tuples that a filter compares for its lists."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()}


class Mode(StrEnum):
    """Which legs a search uses."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class Page:
    """A page is a span of the canonical text, with the label that the reader sees.

    "iv" and "12" are pages; what isn't a page says so: "slide 3", "Sales, row 12".
    """

    number: int
    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading is a span too; `level` counts from 1, the outermost."""

    start: int
    end: int
    level: int


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document: its canonical text and what is anchored in it."""

    id: str
    uri: str
    version: str
    title: str
    media_type: str
    text: str
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span of a document's text, small enough for the embedder.

    `heading` is the path of headings above the span, outermost first. What is embedded and
    indexed is `context`, made of the title and those headings, and the span after it; `tokens`
    counts it, special tokens included.
    """

    id: str
    document_id: str
    version: str
    ordinal: int
    start: int
    end: int
    heading: tuple[str, ...]
    context: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Leg:
    """What one leg of a search said of a chunk: its rank in that leg (from 1) and raw score.

    `share` is what it adds to the fused score; a reranker's score stands in its place.
    """

    name: str
    rank: int
    score: float
    share: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found. `score`: higher is better, always. `rank` counts from 1."""

    chunk: Chunk
    uri: str
    title: str
    text: str
    page: str | None
    score: float
    rank: int
    legs: tuple[Leg, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in points from the page's top left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Citation:
    """A footnote. `quote` equals the document's text from `start` to `end`, checked by us.

    `support` is the probability, in [0, 1], that the quote answers the question, or that it says
    what the sentence of a chat model says.
    """

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


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer considered and used: sentences where it quotes, passages for a model.

    Of a model: `budget` tokens for its prompt, of which `prompt_tokens` were used; `merged`
    passages only repeat others; `dropped` ones and `turns_dropped` of the conversation had no room;
    `unverified` marks of the model were taken out, `unsupported` sentences have no footnote; `cut`
    is an answer that ran out of tokens; `rewritten` where the model put what was searched for.
    """

    considered: int
    used: int
    budget: int = 0
    merged: int = 0
    dropped: int = 0
    turns_dropped: int = 0
    unverified: int = 0
    unsupported: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0
    cut: bool = False
    rewritten: bool = False


class Outcome(StrEnum):
    """Of the comparison of a sentence with what it cites, or could."""

    VERIFIED = "verified"
    UNSUPPORTED = "unsupported"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of an answer and what the server found out about it.

    `markers` are of its citations; `removed` is how many marks of the model were taken out;
    `differences` is what the nearest passage doesn't say, each with its kind: "number: 12 %".
    """

    text: str
    outcome: Outcome
    markers: tuple[int, ...]
    removed: int = 0
    differences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer, and the citations whose markers are in it. `ends` where a sentence ends
    with it, of which words may have come before.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose every sentence carries the marker of a citation, or an abstention.

    `query` is what was searched for: the question, as it stands without the conversation.
    `confidence` is the probability that the documents hold an answer; `closest` are the quotes that
    come nearest to one where the answer abstains; `statements` are its sentences, and what the
    server found out about each. `id` is that of its record, where it is stored.
    """

    query: str
    text: str
    citations: tuple[Citation, ...]
    closest: tuple[Citation, ...]
    statements: tuple[Statement, ...]
    hits: tuple[Hit, ...]
    abstained: bool
    confidence: float
    model: str
    usage: Usage
    timings: Mapping[str, float]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Chunking:
    """How text is cut: at most `tokens` embedded tokens a chunk, about `overlap` repeated.

    `tokens` 0 means 512, or the embedder's window where that is less. `method` changes when the
    same text and numbers would give other spans.
    """

    tokens: int = 0
    overlap: int = 32
    method: str = "sentences-3"

    @property
    def fingerprint(self) -> str:
        return f"{self.method}:{self.tokens}:{self.overlap}"

    @classmethod
    def from_fingerprint(cls, fingerprint: str) -> "Chunking":
        method, tokens, overlap = fingerprint.rsplit(":", 2)
        return cls(int(tokens), int(overlap), method)


@dataclass(frozen=True, slots=True)
class KnowledgeBaseSettings:
    """What may differ from one knowledge base to another.

    `fusion` names a function of `retrieval.fusion`; `dense_weight` is the dense leg's share in
    the fused score, in [0, 1], by default what calibration finds. `chat_model` answers, where it
    isn't empty; `system_prompt` is told to it. What is less likely than `min_confidence`, in
    [0, 1], isn't answered; None is `retrieval.abstention.THRESHOLD`. `description` tells people
    what it is about.
    """

    chunking: Chunking = field(default_factory=Chunking)
    fusion: Fusion = Fusion.BACKGROUND
    dense_weight: float | None = None
    chat_model: str = ""
    system_prompt: str = ""
    min_confidence: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """One embedding model and one chunker of a knowledge base, and the name of its stores."""

    id: str
    model: ModelIdentity
    chunker: str

    @property
    def fingerprint(self) -> str:
        """What the chunks of the same text have in common."""
        return f"{self.model.fingerprint}:{self.chunker}"


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A named set of documents that are searched together."""

    id: str
    name: str
    settings: KnowledgeBaseSettings
    generation: Generation
    created_at: float


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What a list of documents shows of each."""

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
    metadata: Metadata
    warnings: tuple[str, ...]
    created_at: float
    updated_at: float


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """What a document's history shows of each version that is live, or was."""

    version: str
    live: bool
    title: str
    name: str
    media_type: str
    size: int
    characters: int
    warnings: tuple[str, ...]
    created_at: float
