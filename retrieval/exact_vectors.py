"""The exact vectors of live chunks, and what is nearest by them.

They lie in the catalogue. `retrieval.resident` holds them in memory too, where there is room, and
answers the same faster.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from retrieval.chunks import Chunks
from retrieval.filters import Condition
from retrieval.types import KnowledgeBase, Vector, Vectors

_SCANNED = 20_000  # vectors that are read from the catalogue for one question


@dataclass(frozen=True, slots=True)
class Scope:
    """What a filter leaves: a condition, and the documents that meet it."""

    condition: Condition
    documents: frozenset[str]


class ExactVectors(Protocol):
    """Those of a knowledge base. Any thread may ask."""

    def cosines(self, ids: list[str], vector: Vector) -> dict[str, float]:
        """The cosine of each of the ids that is live."""

    def nearest(self, vector: Vector, scope: Scope, k: int) -> set[str] | None:
        """The k nearest chunks of a scope, ties by id; None where it holds too many to look at."""


class CatalogueVectors:
    """Reads them from the catalogue, as they are needed."""

    def __init__(self, chunks: Chunks, kb: KnowledgeBase) -> None:
        self._chunks = chunks
        self._kb = kb

    def cosines(self, ids: list[str], vector: Vector) -> dict[str, float]:
        live, vectors = self._chunks.vectors(self._kb, ids)
        return dict(zip(live, cosines(vectors, vector).tolist(), strict=True))

    def nearest(self, vector: Vector, scope: Scope, k: int) -> set[str] | None:
        if self._chunks.count(self._kb, scope.condition) > _SCANNED:
            return None
        scored: list[tuple[float, str]] = []
        for ids, vectors in self._chunks.scan(self._kb, scope.condition):
            near = (vectors @ vector).tolist()
            scored.extend((-cosine, key) for cosine, key in zip(near, ids, strict=True))
            scored = sorted(scored)[:k]
        return {key for _, key in scored}


def cosines(vectors: Vectors, vector: Vector) -> NDArray[np.float32]:
    """`(n,)`: of `(n, d)` unit vectors with one.

    Not `vectors @ vector`, whose last bit depends on which vectors stand beside a vector: equal
    texts are to have equal scores.
    """
    found: NDArray[np.float32] = np.einsum("nd,d->n", vectors, vector)
    return found
