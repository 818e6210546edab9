"""An answerer without a language model: it quotes the sentences that answer.

A sentence is scored by what it says (cosine to the question), by what it names (the share of the
question's terms, rare ones counting more, that it covers) and by the chunk it stands in. Nothing
is generated, so nothing can be invented.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.analysis import analyse
from retrieval.embedding.registry import Embedders
from retrieval.ports import LexicalStore
from retrieval.question import Terms, content_terms, weigh
from retrieval.sentences import Span, sentences
from retrieval.types import Hit

_HITS = 8  # chunks whose sentences are looked at
_SENTENCES = 32  # sentences that are embedded, those that name most of the question first
_QUOTES = 3
_NEXT = 0.8  # of the best score: what a further quote must reach
_ALIKE = 0.6  # Jaccard similarity of terms from which two quotes say the same

# How a sentence's score is made up: see "Answers" in the README for how they were found.
_COSINE, _COVERAGE, _CHUNK = 0.25, 0.45, 0.3

_ENUMERATOR = re.compile(r"(?:\d{1,3}\.)+\d{0,3}\s|\d{1,3}[)、]|[-*•]\s")


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of a hit's document, in the document's own offsets, and its score in [0, 1]."""

    hit: Hit
    start: int
    end: int
    support: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the best of what was found fits the question; what an abstention goes by.

    `coverage` is the share of the question's terms in the best sentence, `chunk_coverage` in the
    best chunk with its headings, `all_coverage` in all chunks together; cosines likewise.
    """

    coverage: float
    chunk_coverage: float
    all_coverage: float
    cosine: float
    chunk_cosine: float


@dataclass(frozen=True, slots=True)
class Draft:
    """Quotes, best first, and what speaks for them."""

    quotes: tuple[Quote, ...]
    evidence: Evidence
    considered: int


@dataclass(frozen=True, slots=True)
class _Candidate:
    hit: Hit
    span: Span
    text: str
    terms: frozenset[str]
    coverage: float


class ExtractiveAnswerer:
    """Chooses at most three quotes of one sentence each from the hits of a search."""

    name = "extractive"

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    def draft(self, question: str, hits: Sequence[Hit], postings: LexicalStore) -> Draft:
        """The sentences of the hits that answer best. `postings` tells which terms are rare."""
        asked = content_terms(question)
        terms = weigh(asked, postings.frequencies(asked), postings.count())
        candidates = _candidates(hits[:_HITS], terms)
        if not candidates:
            return Draft((), Evidence(0.0, 0.0, 0.0, 0.0, 0.0), 0)
        wanted = self._embedders.default.embed_query(question)
        vectors = self._embedders.default.embed_documents([c.text for c in candidates], urgent=True)
        cosines = (vectors @ wanted).tolist()
        scores = [
            _COSINE * cosine + _COVERAGE * candidate.coverage + _CHUNK * candidate.hit.score
            for candidate, cosine in zip(candidates, cosines, strict=True)
        ]
        order = np.argsort(-np.asarray(scores), kind="stable").tolist()
        quotes = _chosen([candidates[i] for i in order], [scores[i] for i in order])
        return Draft(quotes, _evidence(hits[:_HITS], terms, candidates, cosines), len(candidates))


def _candidates(hits: Sequence[Hit], terms: Terms) -> list[_Candidate]:
    """The distinct sentences of the hits; chunks overlap, so one may come twice."""
    found: dict[tuple[str, int, int], _Candidate] = {}
    for hit in hits:
        for span in sentences(hit.text):
            text = " ".join(hit.text[span.start : span.end].split())
            said = frozenset(analyse(text))
            if not _says_more(text, terms):
                continue
            start, end = hit.chunk.start + span.start, hit.chunk.start + span.end
            found.setdefault(
                (hit.chunk.document_id, start, end),
                _Candidate(hit, Span(start, end), text, said, terms.coverage(said)),
            )
    ordered = sorted(found.values(), key=lambda c: -c.coverage)
    return ordered[:_SENTENCES]


def _says_more(sentence: str, asked: Terms) -> bool:
    """Whether a sentence says anything that the question doesn't; a heading often doesn't."""
    said = analyse(_ENUMERATOR.sub("", sentence, count=1))
    return any(term not in asked.weights for term in said)


def _chosen(candidates: Sequence[_Candidate], scores: Sequence[float]) -> tuple[Quote, ...]:
    """The best sentence, then others that come near it and say something else."""
    chosen: list[_Candidate] = []
    quotes: list[Quote] = []
    for candidate, score in zip(candidates, scores, strict=True):
        if len(quotes) == _QUOTES or (quotes and score < _NEXT * scores[0]):
            break
        if all(_similarity(candidate.terms, other.terms) < _ALIKE for other in chosen):
            chosen.append(candidate)
            support = min(1.0, max(0.0, score))
            quotes.append(Quote(candidate.hit, *candidate.span, support))
    return tuple(quotes)


def _similarity(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def _evidence(
    hits: Sequence[Hit],
    terms: Terms,
    candidates: Sequence[_Candidate],
    cosines: Sequence[float],
) -> Evidence:
    said = [frozenset(analyse("\n".join([h.title, *h.chunk.heading, h.text]))) for h in hits]
    dense = [leg.score for hit in hits for leg in hit.legs if leg.name == "dense"]
    return Evidence(
        coverage=max(candidate.coverage for candidate in candidates),
        chunk_coverage=max(map(terms.coverage, said)),
        all_coverage=terms.coverage(frozenset().union(*said)),
        cosine=max(cosines),
        chunk_cosine=max(dense, default=0.0),
    )
