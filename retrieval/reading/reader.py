"""Reads what a search found: every sentence, and what speaks for it as the answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.analysis import analyse
from retrieval.embedding.registry import Embedders
from retrieval.ports import LexicalStore
from retrieval.question import Terms, content_terms, weigh
from retrieval.reading.evidence import NOTHING, Evidence, evidence
from retrieval.reading.features import Candidate, Features, candidates, features
from retrieval.reading.scoring import shares, weights
from retrieval.types import Hit

_ALWAYS = 3  # chunks whose sentences are read, however low their score
_NEAR = 0.6  # of the best score: of this and more others are read too, where
_HITS = 10  # are the most. All of ten find the answer as often, in twice the time
_SENTENCES = 64  # that are read at the most

_ENUMERATOR = re.compile(r"(?:\d{1,3}\.)+\d{0,3}\s|\d{1,3}[)、]|[-*•]\s")


@dataclass(frozen=True, slots=True)
class Reading:
    """The sentences that say anything beyond the question, their features, and how many there were
    in all.
    """

    question: str
    sentences: tuple[Candidate, ...]
    rows: tuple[Features, ...]
    considered: int

    def shares(self, by: Features | None = None) -> list[float]:
        """The probability of each sentence that it holds the answer, if one of them does."""
        return shares(self.rows, by or weights(self.question)) if self.rows else []

    def evidence(self, by: Features | None = None) -> Evidence:
        """What speaks for there being an answer at all."""
        chances = self.shares(by)
        if not chances:
            return NOTHING
        best = self.rows[chances.index(max(chances))]
        return evidence(self.question, best, [row.cosine for row in self.rows])


class Reader:
    """Any thread may call it."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    def read(self, question: str, hits: Sequence[Hit], postings: LexicalStore) -> Reading:
        """The sentences of the best hits. `postings` tells which terms are rare."""
        asked = content_terms(question)
        terms = weigh(asked, postings.frequencies(asked), postings.count())
        found = candidates(_worth_reading(hits), _SENTENCES)
        every = [one for group in found for one in group]
        if not every:
            return Reading(question, (), (), 0)
        embedder = self._embedders.default
        vectors = embedder.embed_passages([one.text for one in every])
        cosines: list[float] = (vectors @ embedder.embed_query(question)).tolist()
        rows = features(question, terms, found, cosines)
        able = [at for at, one in enumerate(every) if _says_more(one.text, terms)]
        return Reading(
            question, tuple(every[at] for at in able), tuple(rows[at] for at in able), len(every)
        )


def _worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    best = max((hit.score for hit in hits), default=0.0)
    return [hit for at, hit in enumerate(hits[:_HITS]) if at < _ALWAYS or hit.score >= _NEAR * best]


def _says_more(sentence: str, asked: Terms) -> bool:
    """Whether a sentence says anything that the question doesn't; a heading often doesn't."""
    said = analyse(_ENUMERATOR.sub("", sentence, count=1))
    return any(term not in asked.weights for term in said)
