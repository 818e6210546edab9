"""Search: two legs, fused on exact scores, hydrated from what is live.

The stores propose chunks; the catalogue decides. Whatever a leg proposes is scored again with
its stored vector, so an approximate index costs candidates at most, never an order, and ties
are broken by chunk id: the same question gives the same hits.
"""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from retrieval import filters, fusion
from retrieval.chunks import Chunks, Passage
from retrieval.embedding.registry import Embedders
from retrieval.errors import InvalidRequest
from retrieval.filters import Condition, Filter
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.ports import Stores
from retrieval.types import Hit, KnowledgeBase, Leg, Mode, Vector

MAX_K = 1_000
MAX_QUERY = 20_000  # code points

_POOL = 100  # candidates of a leg; what the figures on fusion in the README were measured with
_EXACT_SCAN = 20_000  # chunks that a filter may leave for the dense leg to be answered by a scan
_ATTEMPTS = 5  # searches started again because documents changed under them


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a knowledge base. Raises InvalidRequest when it can't be answered."""

    text: str
    k: int = 10
    mode: Mode = Mode.HYBRID
    filter: Filter = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise InvalidRequest("The query is empty.")
        if any("\ud800" <= c <= "\udfff" for c in self.text):
            raise InvalidRequest(f"The query {self.text[:80]!r} isn't whole Unicode text.")
        if len(self.text) > MAX_QUERY:
            raise InvalidRequest(
                f"The query has {len(self.text)} characters; {MAX_QUERY} are the most."
            )
        if not 1 <= self.k <= MAX_K:
            raise InvalidRequest(f"k is {self.k}; it lies within 1 and {MAX_K}.")


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a query, best first, and where its time went, in seconds."""

    hits: tuple[Hit, ...]
    timings: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a filter leaves: a condition, the documents that meet it and how many chunks."""

    condition: Condition
    documents: frozenset[str]
    chunks: int


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Live candidates with their exact scores by leg; `lost` proposals weren't live."""

    dense: dict[str, float]
    lexical: dict[str, float]
    lost: bool
    exhausted: bool


class Presence:
    """Counts those who are inside."""

    def __init__(self) -> None:
        self._inside = 0
        self._lock = threading.Lock()

    @property
    def anybody(self) -> bool:
        return self._inside > 0

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1


class Searcher:
    """Answers queries over a knowledge base. Any thread may call it."""

    def __init__(
        self,
        embedders: Embedders,
        stores: Stores,
        chunks: Chunks,
        knowledge_bases: KnowledgeBases,
    ) -> None:
        self._embedders = embedders
        self._stores = stores
        self._chunks = chunks
        self._knowledge_bases = knowledge_bases
        self._legs = ThreadPoolExecutor(8, thread_name_prefix="dense-leg")
        self._busy = Presence()

    @property
    def busy(self) -> bool:
        """Whether somebody is waiting for an answer."""
        return self._busy.anybody

    def close(self) -> None:
        self._legs.shutdown()

    def search(self, kb: KnowledgeBase, query: Query) -> Found:
        """The best chunks for a query.

        Where a document changes while its old chunks are being ranked, the search starts again:
        a reader sees the old version or the new one, never a gap.
        """
        with self._busy:
            return self._search(kb, query)

    def _search(self, kb: KnowledgeBase, query: Query) -> Found:
        began = time.perf_counter()
        vector = None
        if query.mode is not Mode.LEXICAL:
            vector = self._embedders.of(kb).embed_query(query.text)
        embedded = time.perf_counter()
        condition = filters.condition(query.filter) if query.filter else None
        for _ in range(_ATTEMPTS):
            epoch = self._knowledge_bases.epoch(kb)
            scope = self._scope(kb, condition)
            hits, lost = self._attempt(kb, query, vector, scope)
            if not lost or epoch == self._knowledge_bases.epoch(kb):
                break
        ended = time.perf_counter()
        timings = {
            "embed": embedded - began,
            "search": ended - embedded,
            "total": ended - began,
        }
        return Found(hits, timings)

    def _attempt(
        self, kb: KnowledgeBase, query: Query, vector: Vector | None, scope: _Scope | None
    ) -> tuple[tuple[Hit, ...], bool]:
        """The hits, and whether anything was proposed that isn't live any more."""
        pool = max(_POOL, query.k)
        while True:
            candidates = self._candidates(kb, query, vector, scope, pool)
            scores = _fused(query.mode, candidates, kb.settings.dense_weight)
            if len(scores) >= query.k or candidates.exhausted:
                break
            pool *= 4
        best = sorted(scores, key=lambda key: (-scores[key], key))[: query.k]
        passages = self._chunks.passages(kb, best)
        ranks = {
            "dense": _ranks(candidates.dense),
            "lexical": _ranks(candidates.lexical),
        }
        live = [key for key in best if key in passages]
        hits = tuple(
            _hit(passages[key], scores[key], rank, candidates, ranks)
            for rank, key in enumerate(live, start=1)
        )
        return hits, candidates.lost or len(live) < len(best)

    def _scope(self, kb: KnowledgeBase, condition: Condition | None) -> _Scope | None:
        if condition is None:
            return None
        return _Scope(
            condition,
            frozenset(self._chunks.document_ids(kb, condition)),
            self._chunks.count(kb, condition),
        )

    def _candidates(
        self,
        kb: KnowledgeBase,
        query: Query,
        vector: Vector | None,
        scope: _Scope | None,
        pool: int,
    ) -> _Candidates:
        if scope is not None and not scope.documents:
            return _Candidates({}, {}, lost=False, exhausted=True)
        dense_leg = (
            self._legs.submit(self._dense, kb, vector, scope, pool) if vector is not None else None
        )
        lexical: dict[str, float] = {}
        if query.mode is not Mode.DENSE:
            store = self._stores.lexical(kb.generation.id)
            lexical = dict(store.query(query.text, pool, scope.documents if scope else None))
        dense = dense_leg.result() if dense_leg else set()
        proposed = sorted(dense | lexical.keys())
        live, vectors = self._chunks.vectors(kb, proposed)
        cosines = vectors @ vector if vector is not None else np.zeros(len(live), np.float32)
        known = dict(zip(live, cosines.tolist(), strict=True))
        return _Candidates(
            dense=known if vector is not None else {},
            lexical={key: score for key, score in lexical.items() if key in known},
            lost=len(live) < len(proposed),
            exhausted=max(len(dense), len(lexical)) < pool,
        )

    def _dense(
        self, kb: KnowledgeBase, vector: Vector, scope: _Scope | None, pool: int
    ) -> set[str]:
        """The ids of the nearest chunks; exactly those where a filter leaves few."""
        if scope is not None and scope.chunks <= _EXACT_SCAN:
            return self._scan(kb, vector, scope, pool)
        store = self._stores.vectors(kb.generation.id)
        if scope is None:
            return {key for key, _ in store.query(vector, pool)}
        allowed = {key for ids, _ in self._chunks.scan(kb, scope.condition) for key in ids}
        reach, total = pool, store.count()
        while True:
            near = [key for key, _ in store.query(vector, reach) if key in allowed]
            if len(near) >= pool or reach >= total:
                return set(near[:pool])
            reach *= 4

    def _scan(self, kb: KnowledgeBase, vector: Vector, scope: _Scope, pool: int) -> set[str]:
        scored: list[tuple[float, str]] = []
        for ids, vectors in self._chunks.scan(kb, scope.condition):
            cosines = (vectors @ vector).tolist()
            scored.extend((-cosine, key) for cosine, key in zip(cosines, ids, strict=True))
            scored = sorted(scored)[:pool]
        return {key for _, key in scored}


def _fused(mode: Mode, candidates: _Candidates, weight: float) -> dict[str, float]:
    if mode is Mode.DENSE:
        return candidates.dense
    if mode is Mode.LEXICAL:
        return candidates.lexical
    return fusion.convex(candidates.dense, candidates.lexical, weight)


def _ranks(scores: Mapping[str, float]) -> dict[str, int]:
    ordered = sorted(scores, key=lambda key: (-scores[key], key))
    return {key: rank for rank, key in enumerate(ordered, start=1)}


def _hit(
    passage: Passage,
    score: float,
    rank: int,
    candidates: _Candidates,
    ranks: Mapping[str, Mapping[str, int]],
) -> Hit:
    key = passage.chunk.id
    by_leg = {"dense": candidates.dense, "lexical": candidates.lexical}
    return Hit(
        chunk=passage.chunk,
        uri=passage.uri,
        title=passage.title,
        text=passage.text,
        page=passage.page,
        score=score,
        rank=rank,
        legs=tuple(
            Leg(name, ranks[name][key], scores[key])
            for name, scores in by_leg.items()
            if key in scores
        ),
    )
