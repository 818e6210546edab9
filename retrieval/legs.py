"""The two legs of a search: each proposes chunks, the catalogue says which of them are live.

Whatever a leg proposes is scored again with its exact vector, so an approximate index costs
candidates at most, never an order.
"""

import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np

from retrieval import filters
from retrieval.chunks import Chunks
from retrieval.exact_vectors import CatalogueVectors, ExactVectors, Scope
from retrieval.filters import Filter
from retrieval.observing import Observer, Unobserved, timed
from retrieval.ports import Scored, Stores
from retrieval.recall_watch import RecallWatch
from retrieval.resident import Resident, Residents
from retrieval.types import KnowledgeBase, Vector

_SCOPES = 8  # filters whose documents are remembered
_PER_HIT = 3  # documents that the lexical index restricts a search to in the time of one hit
POOL = 100  # candidates of a leg; what the figures on fusion in the README were measured with


@dataclass(frozen=True, slots=True)
class Asked:
    """What the legs are asked: words for the lexical one, a vector for the dense one, or one of
    them alone. `legible` is the share of the words that the vector stands for, by
    `Embedder.legible`.
    """

    words: str | None
    vector: Vector | None
    legible: float = 1.0


@dataclass(frozen=True, slots=True)
class Candidates:
    """Live candidates with their exact scores by leg; `lost` proposals weren't live."""

    dense: dict[str, float]
    lexical: dict[str, float]
    lost: bool
    exhausted: bool


class Legs:
    """Finds candidates in the stores of a knowledge base. Any thread may call it."""

    def __init__(
        self,
        stores: Stores,
        chunks: Chunks,
        residents: Residents,
        watch: RecallWatch,
        observer: Observer | None = None,
    ) -> None:
        self._stores = stores
        self._chunks = chunks
        self._residents = residents
        self._watch = watch
        self._observer = observer or Unobserved()
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="dense-leg")
        self._scopes: OrderedDict[tuple[str, int, str], Scope] = OrderedDict()
        self._lock = threading.Lock()

    def close(self) -> None:
        self._threads.shutdown()

    def scope(self, kb: KnowledgeBase, filter_: Filter, epoch: int) -> Scope | None:
        """What a filter leaves at an epoch; None without a filter. Raises InvalidRequest."""
        if not filter_:
            return None
        key = (kb.id, epoch, repr(filter_))
        with self._lock:
            known = self._scopes.get(key)
        if known is None:
            condition = filters.condition(filter_)
            known = Scope(condition, frozenset(self._chunks.document_ids(kb, condition)))
            with self._lock:
                self._scopes[key] = known
                while len(self._scopes) > _SCOPES:
                    self._scopes.popitem(last=False)
        return known

    def candidates(
        self,
        kb: KnowledgeBase,
        asked: Asked,
        scope: Scope | None = None,
        pool: int = POOL,
        epoch: int | None = None,
    ) -> Candidates:
        """The best `pool` of each leg within a scope, all with their cosines.

        With the epoch of the knowledge base vectors may come from memory.
        """
        if scope is not None and not scope.documents:
            return Candidates({}, {}, lost=False, exhausted=True)
        resident = None if epoch is None else self._residents.at(kb, epoch)
        exact: ExactVectors = resident or CatalogueVectors(self._chunks, kb)
        vector = asked.vector
        dense_leg = (
            self._threads.submit(copy_context().run, self._dense, kb, vector, exact, scope, pool)
            if vector is not None
            else None
        )
        lexical: dict[str, float] = {}
        if asked.words is not None:
            with timed(self._observer, "search", "lexical"):
                lexical = dict(self._lexical(kb, asked.words, resident, scope, pool))
        dense = dense_leg.result() if dense_leg else set()
        if resident and vector is not None and scope is None:
            self._watch.saw(kb, vector, dense, resident)
        proposed = sorted(dense | lexical.keys())
        nothing = np.zeros(kb.generation.model.dimension, np.float32)
        known = exact.cosines(proposed, nothing if vector is None else vector)
        return Candidates(
            dense=known if vector is not None else {},
            lexical={key: score for key, score in lexical.items() if key in known},
            lost=len(known) < len(proposed) or (resident is not None and resident.epoch != epoch),
            exhausted=max(len(dense), len(lexical)) < pool,
        )

    def _lexical(
        self,
        kb: KnowledgeBase,
        words: str,
        resident: Resident | None,
        scope: Scope | None,
        pool: int,
    ) -> list[Scored]:
        """The best chunks of a scope. Where that is wide, looking for its documents takes longer
        than looking at those of others too.
        """
        store = self._stores.lexical(kb.generation.id)
        if scope is None:
            return store.query(words, pool)
        if resident and scope.documents:
            reach = 2 * pool * resident.documents // len(scope.documents)
            if _PER_HIT * reach < len(scope.documents):
                best = store.query(words, reach)
                inside = frozenset(resident.inside((key for key, _ in best), scope.documents))
                if len(inside) >= pool or len(best) < reach:
                    return [hit for hit in best if hit.id in inside][:pool]
        return store.query(words, pool, scope.documents)

    def _dense(
        self,
        kb: KnowledgeBase,
        vector: Vector,
        exact: ExactVectors,
        scope: Scope | None,
        pool: int,
    ) -> set[str]:
        """The ids of the nearest chunks; exactly those of a scope that can be looked through."""
        with timed(self._observer, "search", "dense"):
            return self._nearest(kb, vector, exact, scope, pool)

    def _nearest(
        self,
        kb: KnowledgeBase,
        vector: Vector,
        exact: ExactVectors,
        scope: Scope | None,
        pool: int,
    ) -> set[str]:
        store = self._stores.vectors(kb.generation.id)
        if scope is None:
            near = store.query(vector, max(pool, self._watch.reach(kb)))
            return {key for key, _ in near[:pool]}
        if (nearest := exact.nearest(vector, scope, pool)) is not None:
            return nearest
        reach, total = 2 * pool, store.count()
        while True:
            ids = [key for key, _ in store.query(vector, reach)]
            owners = self._chunks.owners(kb, ids)
            inside = [key for key in ids if owners.get(key) in scope.documents]
            if len(inside) >= pool or reach >= total:
                return set(inside[:pool])
            reach *= 4
