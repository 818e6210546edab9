"""Searches for known items: each chunk is scored by what is left of it without the question.

An ordinary search would find the sentence itself, and say nothing of how well the legs find what
answers a question. So the chunk's cosine is that of its rest, its BM25 is the share that its rest
has, and its neighbours, which overlap with it or go on from it and may well answer, are taken out.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from retrieval.analysis import analyse
from retrieval.bm25 import bm25, idf
from retrieval.chunks import Chunks
from retrieval.embedding.registry import Embedders
from retrieval.known_items import KnownItem
from retrieval.legs import Asked, Candidates, Legs
from retrieval.ports import Stores
from retrieval.question import term_weights
from retrieval.types import KnowledgeBase

_NEIGHBOURS = 2  # chunks before and after a known item

Carry = Callable[[], None]
"""Called now and then; what it raises ends the work."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What the legs found for a known item, which is in both with the score of its rest.

    Cosines and BM25 are as the legs give them.
    """

    item: KnownItem
    asked: Asked
    candidates: Candidates

    @property
    def target(self) -> str:
        """The id of the chunk that the question was taken out of."""
        return self.item.origin.chunk.id


class KnownItemSearcher:
    """Searches for known items by both legs. Any thread may call it."""

    def __init__(self, embedders: Embedders, stores: Stores, chunks: Chunks, legs: Legs) -> None:
        self._embedders = embedders
        self._stores = stores
        self._chunks = chunks
        self._legs = legs

    def search(
        self, kb: KnowledgeBase, items: Sequence[KnownItem], carry_on: Carry = lambda: None
    ) -> Iterator[Sought]:
        """The candidates for each item, one after the other. Raises EmbeddingFailed, Overloaded."""
        embedder = self._embedders.of(kb)
        average = fmean(len(analyse(item.whole)) for item in items) if items else 0.0
        for item in items:
            carry_on()
            [question] = embedder.embed_questions([item.question])
            [rest] = embedder.embed_documents([item.rest])
            asked = Asked(item.question, question, embedder.legible(item.question))
            yield Sought(item, asked, self._candidates(kb, item, asked, question @ rest, average))

    def _candidates(
        self, kb: KnowledgeBase, item: KnownItem, asked: Asked, cosine: float, average: float
    ) -> Candidates:
        target = item.origin.chunk.id
        found = self._legs.candidates(kb, asked)
        near = self._chunks.around(kb, item.origin.chunk, _NEIGHBOURS)
        dense = {key: score for key, score in found.dense.items() if key not in near}
        lexical = {key: score for key, score in found.lexical.items() if key not in near}
        dense[target] = float(cosine)
        lexical[target] = found.lexical.get(target, 0.0) * self._left(kb, item, average)
        return replace(found, dense=dense, lexical=lexical)

    def _left(self, kb: KnowledgeBase, item: KnownItem, average: float) -> float:
        """The share of a chunk's BM25 that is left without the sentence."""
        store = self._stores.lexical(kb.generation.id)
        total = store.count()
        shares = term_weights(item.question)
        frequencies = store.frequencies(shares.keys())
        weights = {term: share * idf(frequencies[term], total) for term, share in shares.items()}
        whole = bm25(Counter(analyse(item.whole)), weights, average)
        return bm25(Counter(analyse(item.rest)), weights, average) / whole if whole else 0.0
