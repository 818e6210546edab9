"""An answerer without a language model: it quotes the sentences that answer.

Every sentence of the best hits gets a probability to hold the answer (`retrieval.reading`). Nothing
is generated, so nothing can be invented.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.ports import LexicalStore
from retrieval.reading.evidence import Evidence
from retrieval.reading.features import Candidate
from retrieval.reading.reader import Reader
from retrieval.types import Hit

_QUOTES = 3
_LEAST = 0.003  # of the probability: what a further quote must have
_WITH_NEXT = 0.005  # of a sentence's probability: what its neighbour must have to be quoted with it
_LONGEST = 500  # characters of two sentences in one quote
_ALIKE = 0.6  # Jaccard similarity of terms from which two quotes say the same

# A sentence that begins so is about what the one before it names.
_POINTS_BACK = re.compile(
    r"(?:He|She|It|They|His|Her|Its|Their|This|These|Those|Both|The (?:latter|former|same))\b"
    r"|[他她它其该此]|这|两者|[后前]者"
)


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of a hit's document, in the document's own offsets, of one sentence or two.

    `share` is the probability that it holds the answer, if anything here does.
    """

    hit: Hit
    start: int
    end: int
    share: float


@dataclass(frozen=True, slots=True)
class Draft:
    """Quotes, best first, and what speaks for them."""

    quotes: tuple[Quote, ...]
    evidence: Evidence
    considered: int


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A candidate and the probability that it holds the answer."""

    candidate: Candidate
    share: float


class ExtractiveAnswerer:
    """Chooses at most three quotes of at most two sentences each from the hits of a search."""

    name = "extractive"

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def draft(self, question: str, hits: Sequence[Hit], postings: LexicalStore) -> Draft:
        """The sentences of the hits that answer best. `postings` tells which terms are rare."""
        reading = self._reader.read(question, hits, postings)
        read = list(map(_Sentence, reading.sentences, reading.shares()))
        return Draft(_quotes(read), reading.evidence(), reading.considered)


def _quotes(read: Sequence[_Sentence]) -> tuple[Quote, ...]:
    """The best sentence, then others that may hold the answer and say something else."""
    chosen: list[list[_Sentence]] = []
    for one in sorted(read, key=lambda one: -one.share):
        if len(chosen) == _QUOTES or (chosen and one.share < _LEAST):
            break
        taken = [each for quote in chosen for each in quote]
        if all(_says_other(one, other) and not _overlap(one, other) for other in taken):
            chosen.append(_with_neighbour(one, read, taken))
    quotes = [_quote(group) for group in chosen]
    return tuple(sorted(quotes, key=lambda quote: -quote.share))


def _says_other(one: _Sentence, other: _Sentence) -> bool:
    terms, known = one.candidate.terms, other.candidate.terms
    return len(terms & known) < _ALIKE * len(terms | known)


def _with_neighbour(
    one: _Sentence, read: Sequence[_Sentence], taken: Sequence[_Sentence]
) -> list[_Sentence]:
    """A sentence with the one beside it that may hold the answer too, or names its subject."""
    beside = [
        other
        for other in read
        if other.candidate.hit is one.candidate.hit
        and abs(other.candidate.at - one.candidate.at) == 1
        and not any(_overlap(other, each) for each in taken)
        and _length(one, other) <= _LONGEST
    ]
    named_before = [
        other
        for other in beside
        if other.candidate.at < one.candidate.at and _POINTS_BACK.match(one.candidate.text)
    ]
    enough = 0.0 if named_before else _WITH_NEXT
    best = max(named_before or beside, key=lambda other: other.share, default=None)
    return [one, best] if best and best.share >= enough * one.share else [one]


def _overlap(one: _Sentence, other: _Sentence) -> bool:
    """Whether both stand in the same place of a document; chunks overlap."""
    ours, theirs = one.candidate, other.candidate
    same = ours.hit.chunk.document_id == theirs.hit.chunk.document_id
    return same and ours.span.start < theirs.span.end and theirs.span.start < ours.span.end


def _length(one: _Sentence, other: _Sentence) -> int:
    spans = one.candidate.span, other.candidate.span
    return max(span.end for span in spans) - min(span.start for span in spans)


def _quote(group: Sequence[_Sentence]) -> Quote:
    spans = [one.candidate.span for one in group]
    return Quote(
        group[0].candidate.hit,
        min(span.start for span in spans),
        max(span.end for span in spans),
        min(1.0, sum(one.share for one in group)),
    )
