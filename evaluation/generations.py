"""Two generations of a knowledge base on its own questions: is the new one worse?

Questions are given, or made from the text: parts of a sentence, with words left out, that should
lead back to the document it is from. What is measured is the dense leg, for that is what the
model changes: the reciprocal rank of the document among the ten nearest chunks.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation.significance import chance_of_loss
from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.sentences import sentences
from retrieval.types import KnowledgeBase, Mode

_SHORTEST = 12  # characters of a sentence that a question is made of
_KEPT = 0.5  # of its words
_K = 10
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class KnownItem:
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


def made_up(engine: Engine, kb: KnowledgeBase, count: int = 200, seed: int = 0) -> list[KnownItem]:
    """Questions from the text of documents, the same for the same documents and seed."""
    chance = random.Random(seed)  # noqa: S311
    total, _ = engine.knowledge_bases.counts(kb)
    listed = [summary.id for summary in engine.documents.list(kb, limit=total)]
    made: list[KnownItem] = []
    for document_id in chance.sample(listed, min(count, total)):
        text = engine.documents.get(kb, document_id).text
        spans = [text[a:b] for a, b in sentences(text) if b - a >= _SHORTEST]
        chosen = chance.sample(spans, min(max(1, count // total), len(spans)))
        made += [KnownItem(_question(sentence, chance), document_id) for sentence in chosen]
    return made


def compare(
    engine: Engine, old: KnowledgeBase, new: KnowledgeBase, items: Sequence[KnownItem]
) -> Comparison:
    """Both generations on the same questions."""
    before = [_reciprocal_rank(engine, old, item) for item in items]
    after = [_reciprocal_rank(engine, new, item) for item in items]
    if not items:
        return Comparison(0, 0.0, 0.0, 1.0)
    differences = [b - a for a, b in zip(before, after, strict=True)]
    return Comparison(len(items), fmean(before), fmean(after), chance_of_loss(differences))


def _reciprocal_rank(engine: Engine, kb: KnowledgeBase, item: KnownItem) -> float:
    hits = engine.searcher.search(kb, Query(item.question, _K, Mode.DENSE)).hits
    return next((1 / h.rank for h in hits if h.chunk.document_id == item.document_id), 0.0)


def _question(sentence: str, chance: random.Random) -> str:
    """Half of the words, in their order; of a script without spaces, half of the sentence."""
    words = sentence.split()
    if len(words) >= len(sentence) / 12:
        kept = sorted(chance.sample(range(len(words)), max(1, round(len(words) * _KEPT))))
        return " ".join(words[at] for at in kept)
    clean = re.sub(r"\s+", "", sentence)
    length = max(1, round(len(clean) * _KEPT))
    start = chance.randint(0, len(clean) - length)
    return clean[start : start + length]


def by_uri(engine: Engine, kb: KnowledgeBase, pairs: Iterable[tuple[str, str]]) -> list[KnownItem]:
    """Given questions, each with the uri or id of its document."""
    total, _ = engine.knowledge_bases.counts(kb)
    ids = {summary.uri: summary.id for summary in engine.documents.list(kb, limit=total)}
    return [KnownItem(question, ids.get(uri, uri)) for question, uri in pairs]
