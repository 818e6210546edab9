"""How much of what is nearest the vector index finds, watched on questions that are really asked.

An approximate index gets worse where nobody looks: with size, with deletions, with vectors of
another kind. So now and then the ten nearest chunks of a question are looked up exactly as well,
aside, among the vectors in memory. Where too few of them were found, the index is made to look
further from then on.
"""

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import fmean

import structlog

from retrieval.resident import Resident
from retrieval.types import KnowledgeBase, Vector

_log = structlog.get_logger()

NEAREST = 10
WANTED = 0.99  # recall of them

_EVERY = 16  # questions, of which one is looked up
_WORK = 0.02  # share of the time that may go into it
_KEPT = 100  # lookups that the recall is the mean of
_ENOUGH = 20  # of them to act on
_FIRST, _FURTHEST = 800, 12_800  # candidates; with fewer Chroma's own number decides


@dataclass(frozen=True, slots=True)
class Recall:
    """The mean recall of the last lookups, and how many candidates the index looks at; 0: as many
    as it does by itself. Without a lookup there is no recall.
    """

    lookups: int
    recall: float | None
    reach: int


@dataclass(slots=True)
class _Watched:
    """One generation."""

    asked: int = 0
    reach: int = 0
    lookups: int = 0
    recalls: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT))


class RecallWatch:
    """Watches the vector index of each generation. Any thread may call it."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._not_before = 0.0
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="recall-watch")

    def reach(self, kb: KnowledgeBase) -> int:
        """How many candidates the index is to look at, at least."""
        with self._lock:
            return self._of(kb).reach

    def saw(self, kb: KnowledgeBase, vector: Vector, found: set[str], exact: Resident) -> None:
        """Told what the index found for a question; looks it up aside, if it is one's turn."""
        with self._lock:
            watched = self._of(kb)
            watched.asked += 1
            if watched.asked % _EVERY != 1 or time.monotonic() < self._not_before:
                return
            self._not_before = float("inf")  # until this one is done
        self._aside.submit(self._look_up, kb, vector, found, exact)

    def recall(self, kb: KnowledgeBase) -> Recall:
        """What is known of a knowledge base."""
        with self._lock:
            watched = self._of(kb)
            mean = fmean(watched.recalls) if watched.recalls else None
            return Recall(watched.lookups, mean, watched.reach)

    def close(self) -> None:
        self._aside.shutdown(cancel_futures=True)

    def _of(self, kb: KnowledgeBase) -> _Watched:
        return self._watched.setdefault(kb.generation.id, _Watched())

    def _look_up(self, kb: KnowledgeBase, vector: Vector, found: set[str], exact: Resident) -> None:
        began = time.monotonic()
        recall = None
        try:
            recall = _recall(vector, found, exact)
        finally:
            ended = time.monotonic()
            with self._lock:
                self._not_before = ended + (ended - began) / _WORK
                if recall is not None:
                    self._count(kb, recall)

    def _count(self, kb: KnowledgeBase, recall: float) -> None:
        watched = self._of(kb)
        watched.lookups += 1
        watched.recalls.append(recall)
        mean = fmean(watched.recalls)
        if len(watched.recalls) < _ENOUGH or mean >= WANTED or watched.reach >= _FURTHEST:
            return
        watched.reach = max(_FIRST, 2 * watched.reach)
        watched.recalls.clear()
        _log.info("index_looks_further", knowledge_base=kb.name, recall=mean, reach=watched.reach)


def _recall(vector: Vector, found: set[str], exact: Resident) -> float | None:
    """The share of what was found that is as near as the last of the nearest; equal ones are as
    good as each other. None where there is nothing to find.
    """
    nearest = exact.nearest(vector, None, NEAREST)
    cosines = exact.cosines(sorted(nearest | found), vector)
    if not nearest or not nearest <= cosines.keys():  # or it was changed meanwhile
        return None
    last = min(cosines[key] for key in nearest)
    near = sum(cosines[key] >= last for key in found if key in cosines)
    return min(1.0, near / len(nearest))
