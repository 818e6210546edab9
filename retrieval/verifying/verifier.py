"""Whether a passage says what a sentence claims, in which words, and what differs.

The words are looked for first: a span of one sentence or two that covers the claim's terms, or
means nearly the same. Then the claim's facts are held against that span, letter by letter.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.analysis import analyse
from retrieval.embedding.registry import Embedders
from retrieval.question import content_terms
from retrieval.sentences import Span, sentences
from retrieval.types import Hit, Outcome
from retrieval.verifying.facts import Difference, differences
from retrieval.verifying.numerals import numerals

_COVERAGE = 0.6  # of the sentence's terms
_COSINE = 0.75
_LEAST_COVERAGE = 0.2  # with that cosine
_COVERAGE_WEIGHT, _COSINE_WEIGHT, _INTERCEPT = 4.397, 4.683, -5.387
_EMBEDDED = 8  # spans, the best by words: this happens while somebody reads


@dataclass(frozen=True, slots=True)
class Support:
    """A span of a hit's document that may say what a sentence says: the share of the sentence's
    terms in it, and the cosine of the two.
    """

    hit: Hit
    start: int
    end: int
    coverage: float
    cosine: float

    @property
    def score(self) -> float:
        """The probability that a verified sentence is true of the span, in [0, 1].

        Fitted by `footnote eval verification` on as many true as false sentences.
        """
        evidence = _COVERAGE_WEIGHT * self.coverage + _COSINE_WEIGHT * self.cosine + _INTERCEPT
        return 1.0 / (1.0 + math.exp(-evidence))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about a sentence. `support` is the nearest that a passage says: all of it
    where the outcome is verified, but for the differences where it is contradicted.
    """

    outcome: Outcome
    support: Support | None = None
    differences: tuple[Difference, ...] = ()


_UNSUPPORTED = Finding(Outcome.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class _Passage:
    """A span of a hit, its text, and the share of the claim's terms in it."""

    hit: Hit
    span: Span
    coverage: float

    @property
    def text(self) -> str:
        """White space as the reader of the hits has it, whose vectors are remembered."""
        return " ".join(self.hit.text[self.span.start : self.span.end].split())


class Verifier:
    """Compares sentences with what they cite. Any thread may call it."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    def verify(self, sentence: str, hits: Sequence[Hit]) -> Finding:
        """What these hits say to a sentence."""
        wanted = _wanted(sentence)
        if not wanted:
            return _UNSUPPORTED
        near = sorted(_passages(hits, wanted), key=lambda one: (-one.coverage, len(one.text)))
        found = [
            Finding(Outcome.VERIFIED if not unlike else Outcome.CONTRADICTED, support, unlike)
            for support, unlike in self._supports(sentence, near[:_EMBEDDED])
        ]
        return max(found, key=_preferred, default=_UNSUPPORTED)

    def _supports(
        self, sentence: str, near: Sequence[_Passage]
    ) -> Iterator[tuple[Support, tuple[Difference, ...]]]:
        """Of the passages those that say nearly the same, and what they say otherwise."""
        if not near:
            return
        embedder = self._embedders.default
        vectors = embedder.embed_passages([one.text for one in near])
        cosines = (vectors @ embedder.embed_query(sentence)).tolist()
        for one, cosine in zip(near, cosines, strict=True):
            by_words = one.coverage >= _COVERAGE
            if by_words or (cosine >= _COSINE and one.coverage >= _LEAST_COVERAGE):
                at = one.hit.chunk.start
                around = "\n".join([one.hit.title, *one.hit.chunk.heading, one.hit.text])
                start, end = at + one.span.start, at + one.span.end
                yield (
                    Support(one.hit, start, end, one.coverage, cosine),
                    tuple(differences(sentence, one.text, around)),
                )


def _wanted(sentence: str) -> frozenset[str]:
    """The terms that a passage should have; numbers may be written otherwise, and are compared by
    what they say.
    """
    words = sentence
    for one in reversed(numerals(sentence)):
        words = f"{words[: one.start]} {words[one.end :]}"
    return frozenset(content_terms(words) or content_terms(sentence))


def _preferred(finding: Finding) -> tuple[float, float]:
    """What holds before what differs in little; then the nearest."""
    score = finding.support.score if finding.support else 0.0
    return -len(finding.differences), score


def _passages(hits: Sequence[Hit], wanted: frozenset[str]) -> Iterator[_Passage]:
    """Each sentence of the hits, and each two that follow one another."""
    for hit in hits:
        said = [
            (span, wanted.intersection(analyse(hit.text[span.start : span.end])))
            for span in sentences(hit.text)
        ]
        pairs = [
            (Span(one.start, other.end), terms | more)
            for (one, terms), (other, more) in pairwise(said)
        ]
        for span, covered in (*said, *pairs):
            yield _Passage(hit, span, len(covered) / len(wanted))
