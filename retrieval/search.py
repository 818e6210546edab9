"""Search: two legs, fused on exact scores, hydrated from what is live.

The stores propose chunks; the catalogue decides. Ties are broken by chunk id: the same question
gives the same hits.
"""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from retrieval.calibration import UNCALIBRATED, Calibration, Calibrations
from retrieval.chunks import Chunks, Passage
from retrieval.embedding.registry import Embedders
from retrieval.errors import InvalidRequest, NotFound, StoreUnavailable
from retrieval.exact_vectors import Scope
from retrieval.filters import Filter
from retrieval.fusion import Fused, Fusion, fuse, ranks
from retrieval.knowledge_bases import KnowledgeBases, Standing
from retrieval.legs import POOL, Asked, Candidates, Legs
from retrieval.observing import Observer, Unobserved, timed
from retrieval.reranking import Reranking
from retrieval.types import Hit, KnowledgeBase, Leg, Mode, Vector

MAX_K = 1_000
MAX_QUERY = 20_000  # code points

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
class Weighing:
    """How the legs were fused, and where from the weight is: unless it was set, times the share of
    the question that is `legible` to the model.

    `mean` and `deviation` are those of the question's cosines with the knowledge base's chunks,
    where they count. `reranked` candidates were ordered anew.
    """

    fusion: Fusion
    weight: float
    origin: str
    mean: float | None = None
    deviation: float | None = None
    reranker: str | None = None
    reranked: int = 0
    legible: float = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of a query, best first, where its time went, in seconds, how it was fused, and the
    epoch of the knowledge base, which has the generation that was searched.
    """

    kb: KnowledgeBase
    hits: tuple[Hit, ...]
    timings: Mapping[str, float]
    weighing: Weighing | None = None
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates with what each leg adds to their scores, the best first."""

    candidates: Candidates
    fused: Fused
    scores: dict[str, float]
    weighing: Weighing | None

    def legs(self, keys: Iterable[str]) -> dict[str, tuple[Leg, ...]]:
        """What the legs that know these candidates said of them."""
        legs = (
            ("dense", self.candidates.dense, self.fused.dense),
            ("lexical", self.candidates.lexical, self.fused.lexical),
        )
        told = [(name, raw, shares, ranks(raw)) for name, raw, shares in legs]
        return {
            key: tuple(
                Leg(name, rank[key], raw[key], shares.get(key, 0.0))
                for name, raw, shares, rank in told
                if key in raw
            )
            for key in keys
        }


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
        legs: Legs,
        chunks: Chunks,
        knowledge_bases: KnowledgeBases,
        calibrations: Calibrations,
        reranking: Reranking | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._embedders = embedders
        self._legs = legs
        self._chunks = chunks
        self._knowledge_bases = knowledge_bases
        self._calibrations = calibrations
        self._reranking = reranking
        self._observer = observer or Unobserved()
        self._busy = Presence()

    @property
    def busy(self) -> bool:
        """Whether somebody is waiting for an answer."""
        return self._busy.anybody

    def search(self, kb: KnowledgeBase, query: Query, *, pinned: bool = False) -> Found:
        """The best chunks for a query, of the generation that readers have, whichever they had when
        the knowledge base was looked up; `pinned`, of that one, also where it isn't live.

        Where a document changes while its old chunks are being ranked, or readers are switched to
        another generation, the search starts again: a reader sees the old version or the new one,
        never a gap, and never two generations.
        """
        with self._busy:
            began = time.perf_counter()
            asked = self.asked(kb, query)
            embedded = time.perf_counter()
            for left in reversed(range(_ATTEMPTS)):
                standing = self._knowledge_bases.standing(kb)
                if standing.generation != kb.generation.id and not pinned:
                    kb = self._knowledge_bases.live(kb)
                    asked = self.asked(kb, query)
                    standing = self._knowledge_bases.standing(kb)
                try:
                    found, lost = self._found(kb, query, asked, standing)
                except (NotFound, StoreUnavailable):  # the stores of a generation that is gone
                    if not left or standing == self._knowledge_bases.standing(kb):
                        raise
                    continue
                if not lost or standing == self._knowledge_bases.standing(kb):
                    break
            searched = time.perf_counter()
            found = self._reranked(query, found)
            again = bool(found.weighing and found.weighing.reranked)
            ended = time.perf_counter() if again else searched
        if again:
            self._observer.took("search", "rerank", ended - searched)
        self._observer.searched(query.mode, ended - began)
        timings = {
            "embed": embedded - began,
            "search": searched - embedded,
            **({"rerank": ended - searched} if again else {}),
            "total": ended - began,
        }
        return replace(found, hits=found.hits[: query.k], timings=timings)

    def _found(
        self, kb: KnowledgeBase, query: Query, asked: Asked, standing: Standing
    ) -> tuple[Found, bool]:
        """What the legs find, before it is reranked, and whether something may be missing for being
        changed meanwhile.
        """
        scope = self._scope(kb, query, standing.epoch)
        calibration = self._calibrations.made(kb, standing.calibrated_at)
        ranked = self.rank(kb, query, asked, scope, calibration, standing.epoch)
        best = list(ranked.scores)[: self._depth(query)]
        hits = self._hits(kb, ranked, best)
        lost = ranked.candidates.lost or len(hits) < len(best) or not hits
        return Found(kb, hits, {}, ranked.weighing, standing.epoch), lost

    def _scope(self, kb: KnowledgeBase, query: Query, epoch: int) -> Scope | None:
        if not query.filter:
            return None
        with timed(self._observer, "search", "scope"):
            return self._legs.scope(kb, query.filter, epoch)

    def asked(self, kb: KnowledgeBase, query: Query) -> Asked:
        """What a query asks of the legs that it uses. Raises EmbeddingFailed, Overloaded."""
        if query.mode is Mode.LEXICAL:
            return Asked(query.text, None)
        with timed(self._observer, "search", "embed"):
            embedder = self._embedders.of(kb)
            vector, legible = embedder.embed_query(query.text), embedder.legible(query.text)
        return Asked(None if query.mode is Mode.DENSE else query.text, vector, legible)

    def rank(
        self,
        kb: KnowledgeBase,
        query: Query,
        asked: Asked,
        scope: Scope | None,
        calibration: Calibration | None,
        epoch: int | None = None,
    ) -> Ranked:
        """At least as many candidates as are read, if there are, in their order."""
        wanted = self._depth(query)
        pool = max(POOL, wanted)
        while True:
            candidates = self._legs.candidates(kb, asked, scope, pool, epoch)
            ranked = self.fused(kb, query.mode, asked, candidates, calibration)
            if len(ranked.scores) >= wanted or candidates.exhausted:
                return ranked
            pool *= 4

    def fused(
        self,
        kb: KnowledgeBase,
        mode: Mode,
        asked: Asked,
        candidates: Candidates,
        calibration: Calibration | None,
    ) -> Ranked:
        """Candidates in the order of a mode."""
        dense, lexical = candidates.dense, candidates.lexical
        weighing = None
        if mode is Mode.HYBRID and asked.vector is not None:
            weighing = _weighing(kb, calibration, asked.vector, asked.legible)
            if calibration and weighing.mean is not None and weighing.deviation is not None:
                dense = calibration.background.above(weighing.mean, weighing.deviation, dense)
            fused = fuse(weighing.fusion, dense, lexical, weighing.weight)
        else:
            fused = Fused(dense, lexical)
        scores = fused.scores
        ordered = sorted(scores, key=lambda key: (-scores[key], key))
        return Ranked(candidates, fused, {key: scores[key] for key in ordered}, weighing)

    def _depth(self, query: Query) -> int:
        """How many candidates are read: with a reranker as many as it sees."""
        if self._reranking is None or query.mode is not Mode.HYBRID:
            return query.k
        return max(query.k, self._reranking.depth)

    def _reranked(self, query: Query, found: Found) -> Found:
        """The hits in the order of the reranker, where there is one, those it hasn't seen last."""
        if self._reranking is None or found.weighing is None or not found.hits:
            return found
        seen = found.hits[: self._reranking.depth]
        scores = self._reranking.scores(query.text, [hit.chunk.context + hit.text for hit in seen])
        order = sorted(range(len(scores)), key=lambda at: (-scores[at], at))
        told = [
            replace(
                found.hits[at],
                score=scores[at],
                rank=rank,
                legs=(*found.hits[at].legs, Leg("reranker", rank, scores[at], scores[at])),
            )
            for rank, at in enumerate(order, start=1)
        ]
        rest = [replace(hit, score=min(scores)) for hit in found.hits[len(scores) :]]
        name = self._reranking.reranker.name
        weighing = replace(found.weighing, reranker=name, reranked=len(scores))
        return replace(found, hits=(*told, *rest), weighing=weighing)

    def _hits(self, kb: KnowledgeBase, ranked: Ranked, best: Sequence[str]) -> tuple[Hit, ...]:
        with timed(self._observer, "search", "hydrate"):
            passages = self._chunks.passages(kb, best)
        legs = ranked.legs(best)
        live = [key for key in best if key in passages]
        return tuple(
            _hit(passages[key], ranked.scores[key], rank, legs[key])
            for rank, key in enumerate(live, start=1)
        )


def _weighing(
    kb: KnowledgeBase, calibration: Calibration | None, vector: Vector, legible: float
) -> Weighing:
    """How a knowledge base is fused: as its settings say, else as it was calibrated."""
    method, mean, deviation = kb.settings.fusion, None, None
    if method is Fusion.BACKGROUND and calibration:
        mean, deviation = calibration.background.expected(vector)
    elif method is Fusion.BACKGROUND:
        method = Fusion.CONVEX  # there is too little text for a background
    if kb.settings.dense_weight is not None:
        set_to = kb.settings.dense_weight
        return Weighing(method, set_to, "settings", mean, deviation, legible=legible)
    weight, origin = (
        (calibration.found.weight, "calibration") if calibration else (UNCALIBRATED, "default")
    )
    return Weighing(method, weight * legible, origin, mean, deviation, legible=legible)


def _hit(passage: Passage, score: float, rank: int, legs: tuple[Leg, ...]) -> Hit:
    return Hit(
        chunk=passage.chunk,
        uri=passage.uri,
        title=passage.title,
        text=passage.text,
        page=passage.page,
        score=score,
        rank=rank,
        legs=legs,
    )
