"""BM25 over segments: the k best chunks by the terms of a query.

As tantivy has it: k1 1.2, b 0.75, and the length of a chunk in eight bits, which are exact up to 40
terms and within an eighth beyond. Here the statistics are those of what is there; what is deleted
counts in none.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from retrieval.bm25 import K1, B, idf
from retrieval.ports import Scored
from retrieval.stores.segments import Array, Entries, texts


def _rounded_lengths() -> Array:
    """`(256,)` lengths that eight bits tell apart: Lucene's, whose first 24 are themselves."""
    codes = np.arange(256 - 24)
    bits, shift = codes & 7, (codes >> 3) - 1
    rounded = np.where(shift < 0, bits, (bits | 8) << np.maximum(shift, 0))
    return np.concatenate([np.arange(24), 24 + rounded])


_LENGTHS = _rounded_lengths()


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """Where a term occurs in a segment: the numbers of the chunks, and how often in each."""

    segment: int
    numbers: Array
    counts: Array


class Snapshot:
    """The chunks of segments, and which of them are deleted: what a query ranks.

    A chunk's place is its number, after those of all segments before its own.
    """

    def __init__(self, entries: Sequence[Entries], deleted: Sequence[Array]) -> None:
        self._entries = entries
        self._firsts = np.cumsum([0, *map(len, entries)])
        gone = [numbers + first for numbers, first in zip(deleted, self._firsts, strict=False)]
        self._gone = np.concatenate([np.empty(0, np.int64), *gone]).astype(np.int64)
        self.count = int(self._firsts[-1]) - len(self._gone)

    def ids(self) -> set[str]:
        """The ids of all chunks."""
        return {id_.decode() for one in self._each_live() for id_ in one.tolist()}

    def frequency(self, where: Sequence[Occurrences]) -> int:
        """In how many chunks a term occurs."""
        return self._frequency(self._places(where)) if where else 0

    def best(
        self,
        terms: Mapping[str, float],
        where: Mapping[str, Sequence[Occurrences]],
        k: int,
        documents: Collection[str] | None = None,
    ) -> list[Scored]:
        """The k best chunks by weighted terms, best first, ties by id; only of `documents`."""
        scores = np.zeros(int(self._firsts[-1]))
        for term, share in terms.items():
            if not where[term]:
                continue
            places = self._places(where[term])
            counts = np.concatenate([one.counts for one in where[term]]).astype(np.float32)
            weight = share * idf(self._frequency(places), self.count) * (K1 + 1)
            norms = self._norms[self._codes[places]]
            scores[places] += np.float32(weight) * (counts / (counts + norms))
        scores[self._gone] = 0
        if documents is not None:
            scores[~self._of(documents)] = 0
        return self._first(scores, k)

    def _places(self, where: Sequence[Occurrences]) -> Array:
        return np.concatenate([one.numbers + self._firsts[one.segment] for one in where])

    def _frequency(self, places: Array) -> int:
        return int(self._live[places].sum()) if len(self._gone) else len(places)

    def _of(self, documents: Collection[str]) -> Array:
        wanted = texts(documents)
        return np.concatenate([np.empty(0, bool), *(one.of(wanted) for one in self._entries)])

    def _first(self, scores: Array, k: int) -> list[Scored]:
        found = np.flatnonzero(scores)
        k = min(k, len(found))
        if k < 1:
            return []
        values = scores[found]
        cut = np.partition(values, -k)[-k]
        best = found[values > cut]
        # In a segment numbers have the order of ids: no more than the first k are needed.
        ties = found[values == cut]
        segments = self._segments(ties)
        best = np.concatenate([best, *(ties[segments == at][:k] for at in np.unique(segments))])
        named = map(Scored, self._ids(best), scores[best].tolist())
        return sorted(named, key=lambda hit: (-hit.score, hit.id))[:k]

    def _segments(self, places: Array) -> Array:
        return np.searchsorted(self._firsts, places, side="right") - 1

    def _ids(self, places: Array) -> list[str]:
        segments = self._segments(places)
        numbers = places - self._firsts[segments]
        return [
            bytes(self._entries[segment].ids[number]).decode()
            for segment, number in zip(segments.tolist(), numbers.tolist(), strict=True)
        ]

    def _each_live(self) -> list[Array]:
        return [
            one.ids[self._live[first : first + len(one)]]
            for one, first in zip(self._entries, self._firsts, strict=False)
        ]

    @cached_property
    def _live(self) -> Array:
        live = np.ones(int(self._firsts[-1]), bool)
        live[self._gone] = False
        return live

    @cached_property
    def _lengths(self) -> Array:
        return np.concatenate([np.empty(0, np.uint32), *(one.lengths for one in self._entries)])

    @cached_property
    def _codes(self) -> Array:
        return (np.searchsorted(_LENGTHS, self._lengths, side="right") - 1).astype(np.uint8)

    @cached_property
    def _norms(self) -> Array:
        total = int(self._lengths.sum(dtype=np.int64))
        total -= int(self._lengths[self._gone].sum(dtype=np.int64))
        return (K1 * (1 - B + B * _LENGTHS * self.count / max(total, 1))).astype(np.float32)
