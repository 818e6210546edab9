"""Two generations of a knowledge base on its own questions: is the new one worse?

Questions may be given, each with its document; they are searched for, by the dense leg alone,
for that is what the model changes. Else they are made of the text: a sentence is the question,
and the rest of its chunk the passage to be found among those of the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from evaluation.significance import chance_of_loss
from retrieval.embedding.embedder import Embedder
from retrieval.engine import Engine
from retrieval.known_items import KnownItem
from retrieval.search import Query
from retrieval.types import KnowledgeBase, Mode

_K = 10
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question and the document that it should find."""

    question: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Mean reciprocal ranks, and how likely the new one is no worse but unlucky."""

    questions: int
    old: float
    new: float
    p: float

    @property
    def worse(self) -> bool:
        """Whether the new generation is significantly worse (p < 0.05)."""
        return self.new < self.old and self.p < _LEVEL

    def __str__(self) -> str:
        verdict = "significantly worse" if self.worse else "not significantly worse"
        return (
            f"{verdict}: mean reciprocal rank {self.new:.3f}, before {self.old:.3f}, on "
            f"{self.questions} questions (p = {self.p:.3f})"
        )


def compare_models(old: Embedder, new: Embedder, items: Sequence[KnownItem]) -> Comparison:
    """Two models on questions made of the text."""
    return _compared(_cloze_ranks(old, items), _cloze_ranks(new, items))


def compare(
    engine: Engine, old: KnowledgeBase, new: KnowledgeBase, items: Sequence[Labelled]
) -> Comparison:
    """Two generations on questions that are given."""
    return _compared(
        [_reciprocal_rank(engine, old, item) for item in items],
        [_reciprocal_rank(engine, new, item) for item in items],
    )


def _compared(before: Sequence[float], after: Sequence[float]) -> Comparison:
    if not before:
        return Comparison(0, 0.0, 0.0, 1.0)
    differences = [b - a for a, b in zip(before, after, strict=True)]
    return Comparison(len(before), fmean(before), fmean(after), chance_of_loss(differences))


def _cloze_ranks(embedder: Embedder, items: Sequence[KnownItem]) -> list[float]:
    """The reciprocal rank of each passage for its own question, among all of them."""
    room = embedder.identity.window - embedder.count_tokens([""])[0] - 1
    passages = [embedder.fit(item.rest, room).text for item in items]
    questions = [embedder.embed_query(item.question) for item in items]
    if not items:
        return []
    scores = np.stack(questions) @ embedder.embed_documents(passages).T
    own = np.diagonal(scores)[:, np.newaxis]
    return [1.0 / int(count) for count in (scores >= own).sum(axis=1)]


def _reciprocal_rank(engine: Engine, kb: KnowledgeBase, item: Labelled) -> float:
    hits = engine.searcher.search(kb, Query(item.question, _K, Mode.DENSE), pinned=True).hits
    return next((1 / h.rank for h in hits if h.chunk.document_id == item.document_id), 0.0)


def by_uri(engine: Engine, kb: KnowledgeBase, pairs: Iterable[tuple[str, str]]) -> list[Labelled]:
    """Given questions, each with the uri or id of its document."""
    total, _ = engine.knowledge_bases.counts(kb)
    ids = {summary.uri: summary.id for summary in engine.documents.list(kb, limit=total)}
    return [Labelled(question, ids.get(uri, uri)) for question, uri in pairs]
