"""Why a document was found, or wasn't: where its chunks stand in each leg, among all there are."""

from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import true

from retrieval.analysis import analyse
from retrieval.calibration import Calibrations
from retrieval.chunks import Chunks, Passage
from retrieval.documents import Documents
from retrieval.exact_vectors import Scope, cosines
from retrieval.fusion import ranks
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.legs import Asked, Candidates, Legs
from retrieval.ports import Stores
from retrieval.question import content_terms
from retrieval.schema import documents
from retrieval.search import Query, Ranked, Searcher
from retrieval.types import KnowledgeBase, Mode, Vector

_DEEPEST = 10_000  # ranks of the lexical leg that are told


@dataclass(frozen=True, slots=True)
class Standing:
    """A leg's score of a chunk, and its rank among all chunks, if it is in reach."""

    score: float
    rank: int | None


@dataclass(frozen=True, slots=True)
class Why:
    """Where a document's best chunk stands, and what the last hit has that it lacks.

    `missing` are the query's terms that the chunk doesn't have; `reason` says it in a sentence.
    """

    document_id: str
    title: str
    passage: Passage | None
    rank: int | None
    score: float | None
    last_score: float | None
    dense: Standing | None
    lexical: Standing | None
    missing: tuple[str, ...]
    reason: str


class Explainer:
    """Explains searches. Any thread may call it; it scans, so it isn't for every query."""

    def __init__(
        self,
        searcher: Searcher,
        legs: Legs,
        chunks: Chunks,
        documents: Documents,
        stores: Stores,
        knowledge_bases: KnowledgeBases,
        calibrations: Calibrations,
    ) -> None:
        self._searcher = searcher
        self._calibrations = calibrations
        self._knowledge_bases = knowledge_bases
        self._legs = legs
        self._chunks = chunks
        self._documents = documents
        self._stores = stores

    def why(self, kb: KnowledgeBase, query: Query, document_id: str) -> Why:
        """Why a query finds a document in this generation, or doesn't. Raises DocumentNotFound."""
        title = self._documents.get(kb, document_id).title
        asked = self._searcher.asked(kb, query)
        scope = self._legs.scope(kb, query.filter, self._knowledge_bases.epoch(kb))
        if scope is not None and document_id not in scope.documents:
            return _nowhere(document_id, title, "The filter leaves it out.")
        own = self._own(kb, document_id, asked)
        if not (own.dense or own.lexical):
            return _nowhere(document_id, title, "None of its chunks has a term of the query.")
        calibration = self._calibrations.of(kb)
        ranked = self._searcher.rank(kb, query, asked, scope, calibration)
        both = _both(ranked, own)
        everything = self._searcher.fused(kb, query.mode, asked, both, calibration)
        best = next(key for key in everything.scores if key in own.dense or key in own.lexical)
        found = self._searcher.search(kb, query, pinned=True)
        hit = next((one for one in found.hits if one.chunk.document_id == document_id), None)
        why = self._told(kb, query, asked, scope, everything, hit.chunk.id if hit else best)
        if hit:
            reason = f"It is hit {hit.rank} of {query.k}."
            return replace(why, rank=hit.rank, score=hit.score, reason=reason)
        if found.weighing and found.weighing.reranker:
            place = list(everything.scores).index(best) + 1
            return replace(why, reason=_reranked(why, query, place, found.weighing.reranked))
        last = found.hits[-1].score if found.hits else None
        why = replace(why, last_score=last)
        return replace(why, reason=_reason(why, query))

    def _own(self, kb: KnowledgeBase, document_id: str, asked: Asked) -> Candidates:
        """All chunks of a document that the legs have a score for."""
        condition = documents.c.id == document_id
        alone = Scope(condition, frozenset([document_id]))
        return self._legs.candidates(kb, asked, alone, max(1, self._chunks.count(kb, condition)))

    def _told(
        self,
        kb: KnowledgeBase,
        query: Query,
        asked: Asked,
        scope: Scope | None,
        ranked: Ranked,
        best: str,
    ) -> Why:
        """All but the reason, and what the hits decide."""
        passage = self._chunks.passages(kb, [best])[best]
        chunk = passage.chunk
        dense = lexical = None
        if asked.vector is not None:
            cosine = ranked.candidates.dense[best]
            dense = Standing(cosine, self._dense_rank(kb, asked.vector, scope, cosine, best))
        if asked.words is not None and best in ranked.candidates.lexical:
            rank = self._lexical_rank(kb, asked.words, scope, best)
            lexical = Standing(ranked.candidates.lexical[best], rank)
        said = set(analyse(chunk.context + passage.text))
        return Why(
            document_id=chunk.document_id,
            title=passage.title,
            passage=passage,
            rank=None,
            score=ranked.scores[best],
            last_score=None,
            dense=dense,
            lexical=lexical,
            missing=tuple(term for term in content_terms(query.text) if term not in said),
            reason="",
        )

    def _dense_rank(
        self, kb: KnowledgeBase, vector: Vector, scope: Scope | None, cosine: float, key: str
    ) -> int:
        """One more than the chunks that are nearer, or as near with a lower id."""
        condition = scope.condition if scope else true()
        nearer = 0
        for ids, vectors in self._chunks.scan(kb, condition):
            near = cosines(vectors, vector)
            ties = np.asarray(ids) < key
            nearer += int(((near > cosine) | ((near == cosine) & ties)).sum())
        return nearer + 1

    def _lexical_rank(
        self, kb: KnowledgeBase, words: str, scope: Scope | None, key: str
    ) -> int | None:
        store = self._stores.lexical(kb.generation.id)
        found = store.query(words, _DEEPEST, scope.documents if scope else None)
        return ranks(dict(found)).get(key)


def _both(found: Ranked, own: Candidates) -> Candidates:
    other = found.candidates
    return replace(other, dense=other.dense | own.dense, lexical=other.lexical | own.lexical)


def _nowhere(document_id: str, title: str, reason: str) -> Why:
    return Why(document_id, title, None, None, None, None, None, None, (), reason)


def _reason(why: Why, query: Query) -> str:
    score = f" With {why.score:.3f} it is below the last hit's {why.last_score:.3f}."
    return f"{_in_legs(why, query)}{score}{_lacking(why)}"


def _reranked(why: Why, query: Query, place: int, seen: int) -> str:
    """With a reranker the scores of the hits are its own."""
    where = f" It is {place:,} of the candidates, of which the reranker saw {seen:,}"
    judged = " and liked others better." if place <= seen else "."
    return f"{_in_legs(why, query)}{where}{judged}{_lacking(why)}"


def _lacking(why: Why) -> str:
    return f" It lacks {', '.join(map(repr, why.missing))}." if why.missing else ""


def _in_legs(why: Why, query: Query) -> str:
    parts = []
    if query.mode is not Mode.LEXICAL and why.dense:
        parts.append(f"{why.dense.rank:,} in the dense leg (cosine {why.dense.score:.3f})")
    if query.mode is not Mode.DENSE:
        parts.append(_lexically(why))
    return f"Its best chunk is {' and '.join(parts)}."


def _lexically(why: Why) -> str:
    if why.lexical is None:
        return "nowhere in the lexical leg, as it has no term of the query"
    place = f"{why.lexical.rank:,}" if why.lexical.rank else f"beyond {_DEEPEST:,}"
    return f"{place} in the lexical leg (BM25 {why.lexical.score:.2f})"
