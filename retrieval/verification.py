"""Whether a passage says what a sentence claims, and in which words.

The words decide: numbers must all be there, and enough of the sentence's terms, or a meaning near
enough. The thresholds aren't fitted to anything yet.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from retrieval.analysis import analyse
from retrieval.embedding.registry import Embedders
from retrieval.question import content_terms
from retrieval.sentences import Span, sentences
from retrieval.types import Hit

_COVERAGE = 0.6  # of the sentence's terms
_COSINE = 0.75
_LEAST_COVERAGE = 0.2  # with that cosine

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")


@dataclass(frozen=True, slots=True)
class Support:
    """A span of a hit's document that says what a sentence says; `score` in [0, 1]."""

    hit: Hit
    start: int
    end: int
    score: float


class Verifier:
    """Finds what supports a sentence."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    def support(self, sentence: str, hits: Sequence[Hit]) -> Support | None:
        """The words of these hits that best support a sentence; None if none do."""
        wanted = frozenset(content_terms(sentence))
        figures = numbers(sentence)
        spans = [
            (hit, span, hit.text[span.start : span.end])
            for hit in hits
            for span in _spans(hit.text)
        ]
        able = [one for one in spans if figures <= numbers(one[2])]
        if not able or not wanted:
            return None
        covered = [len(wanted & frozenset(analyse(text))) / len(wanted) for _, _, text in able]
        # The best by words, and only they are embedded: this happens while somebody reads.
        best = sorted(range(len(able)), key=lambda i: (-covered[i], len(able[i][2])))[:8]
        vectors = self._embedders.default.embed_documents([able[i][2] for i in best], urgent=True)
        cosines = vectors @ self._embedders.default.embed_query(sentence)
        scored = [
            (0.5 * covered[i] + 0.5 * max(0.0, float(cosine)), i)
            for i, cosine in zip(best, cosines, strict=True)
            if covered[i] >= _COVERAGE or (cosine >= _COSINE and covered[i] >= _LEAST_COVERAGE)
        ]
        if not scored:
            return None
        score, index = max(scored, key=lambda one: (one[0], -one[1]))
        hit, span, _ = able[index]
        at = hit.chunk.start
        return Support(hit, at + span.start, at + span.end, min(1.0, score))


def numbers(text: str) -> frozenset[str]:
    """The numbers of a text, however their digits are written and grouped."""
    plain = unicodedata.normalize("NFKC", text)
    return frozenset(re.sub(r",(?=\d{3})", "", found) for found in _NUMBER.findall(plain))


def _spans(text: str) -> Iterator[Span]:
    """The sentences of a text, then each two that follow one another."""
    found = sentences(text)
    yield from found
    for one, other in pairwise(found):
        yield Span(one.start, other.end)
