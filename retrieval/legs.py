"""The two legs of a search: each proposes chunks, the catalogue says which of them are live.

Whatever a leg proposes is scored again with its stored vector, so an approximate index costs
candidates at most, never an order.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from retrieval import filters
from retrieval.chunks import Chunks
from retrieval.filters import Condition, Filter
from retrieval.ports import Stores
from retrieval.types import KnowledgeBase, Vector

POOL = 100  # candidates of a leg; what the figures on fusion in the README were measured with
_EXACT_SCAN = 20_000  # chunks that a filter may leave for the dense leg to be answered by a scan


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter leaves: a condition, the documents that meet it and how many chunks."""

    condition: Condition
    documents: frozenset[str]
    chunks: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the legs are asked: words for the lexical one, a vector for the dense one, or one of
    them alone.
    """

    words: str | None
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Live candidates with their exact scores by leg; `lost` proposals weren't live."""

    dense: dict[str, float]
    lexical: dict[str, float]
    lost: bool
    exhausted: bool


class Legs:
    """Finds candidates in the stores of a knowledge base. Any thread may call it."""

    def __init__(self, stores: Stores, chunks: Chunks) -> None:
        self._stores = stores
        self._chunks = chunks
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="dense-leg")

    def close(self) -> None:
        self._threads.shutdown()

    def scope(self, kb: KnowledgeBase, filter_: Filter) -> Scope | None:
        """What a filter leaves; None where there is no filter. Raises InvalidRequest."""
        if not filter_:
            return None
        condition = filters.condition(filter_)
        documents = frozenset(self._chunks.document_ids(kb, condition))
        return Scope(condition, documents, self._chunks.count(kb, condition))

    def candidates(
        self, kb: KnowledgeBase, asked: Asked, scope: Scope | None = None, pool: int = POOL
    ) -> Candidates:
        """The best `pool` of each leg within a scope, all with their cosines."""
        if scope is not None and not scope.documents:
            return Candidates({}, {}, lost=False, exhausted=True)
        vector = asked.vector
        dense_leg = (
            self._threads.submit(self._dense, kb, vector, scope, pool)
            if vector is not None
            else None
        )
        lexical: dict[str, float] = {}
        if asked.words is not None:
            store = self._stores.lexical(kb.generation.id)
            lexical = dict(store.query(asked.words, pool, scope.documents if scope else None))
        dense = dense_leg.result() if dense_leg else set()
        proposed = sorted(dense | lexical.keys())
        live, vectors = self._chunks.vectors(kb, proposed)
        cosines = vectors @ vector if vector is not None else np.zeros(len(live), np.float32)
        known = dict(zip(live, cosines.tolist(), strict=True))
        return Candidates(
            dense=known if vector is not None else {},
            lexical={key: score for key, score in lexical.items() if key in known},
            lost=len(live) < len(proposed),
            exhausted=max(len(dense), len(lexical)) < pool,
        )

    def _dense(self, kb: KnowledgeBase, vector: Vector, scope: Scope | None, pool: int) -> set[str]:
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

    def _scan(self, kb: KnowledgeBase, vector: Vector, scope: Scope, pool: int) -> set[str]:
        scored: list[tuple[float, str]] = []
        for ids, vectors in self._chunks.scan(kb, scope.condition):
            cosines = (vectors @ vector).tolist()
            scored.extend((-cosine, key) for cosine, key in zip(cosines, ids, strict=True))
            scored = sorted(scored)[:pool]
        return {key for _, key in scored}
