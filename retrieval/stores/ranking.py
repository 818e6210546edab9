"""BM25 over segments: the k best chunks by the terms of a query.

As tantivy has it: k1 1.2, b 0.75, and the length of a chunk in eight bits, which are exact up to 40
terms and within an eighth beyond. Here the statistics are those of what is there; what is deleted
counts in none.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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
_SELDOM = 16  # a term in fewer than one of so many chunks is counted at once


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """Where a term occurs in a segment: the numbers of the chunks, and how often in each."""

    segment: int
    numbers: Array
    counts: Array

    def of(self, numbers: Array) -> tuple[Array, Array]:
        """Where these chunks are among those of the term, and whether they are."""
        wanted = numbers.astype(self.numbers.dtype)  # else all of the others are converted
        at = np.minimum(self.numbers.searchsorted(wanted), len(self.numbers) - 1)
        return at, self.numbers[at] == wanted


class Snapshot:
    """The chunks of segments, and which of them are deleted: what a query ranks.

    A chunk's place is its number, after those of all segments before its own.
    """

    def __init__(self, entries: Sequence[Entries], deleted: Sequence[Array]) -> None:
        self._entries = entries
        self._deleted = deleted
        self._firsts = np.cumsum([0, *map(len, entries)])
        self._chunks = int(self._firsts[-1])
        gone = [numbers + first for numbers, first in zip(deleted, self._firsts, strict=False)]
        self._gone = np.concatenate([np.empty(0, np.int64), *gone]).astype(np.int64)
        self.count = self._chunks - len(self._gone)

    def ids(self) -> set[str]:
        """The ids of all chunks."""
        live = np.ones(self._chunks, bool)
        live[self._gone] = False
        return {*self._ids(np.flatnonzero(live))}

    def frequency(self, where: Iterable[Occurrences]) -> int:
        """In how many chunks a term occurs."""
        return sum(len(one.numbers) - self._forgotten(one) for one in where)

    def best(
        self,
        terms: Mapping[str, float],
        where: Mapping[str, Sequence[Occurrences]],
        k: int,
        documents: Collection[str] | None = None,
    ) -> list[Scored]:
        """The k best chunks by weighted terms, best first, ties by id; only of `documents`."""
        weights = {
            term: share * idf(self.frequency(where[term]), self.count) * (K1 + 1)
            for term, share in terms.items()
            if where[term]
        }
        ordered = dict(sorted(weights.items(), key=lambda one: one[1], reverse=True))
        places, scores = self._scored(ordered, where, k, self._nothing(documents))
        return self._first(places, scores, k)

    def _scored(
        self,
        weights: Mapping[str, float],
        where: Mapping[str, Sequence[Occurrences]],
        k: int,
        scores: Array,
    ) -> tuple[Array, Array]:
        """The places of the k best chunks, and perhaps of others, with their scores.

        The heaviest terms are counted wherever they occur, those that are left only where a chunk
        may still become one of the best: MaxScore (Turtle and Flood, "Query Evaluation: Strategies
        and Optimizations", 1995).
        """
        terms = [*weights]
        # The most that a chunk may still get, before each of them and after the last.
        most = [sum(weights[term] for term in terms[at:]) for at in range(len(terms) + 1)]
        promising = np.empty(0, np.int64)
        for at, term in enumerate(terms):
            if sum(len(one.numbers) for one in where[term]) > self._chunks // _SELDOM:
                cut = _kth(scores[promising], k)
                if cut > most[at]:
                    break
            places, counts = self._everywhere(where[term])
            scores[places] += self._shares(weights[term], places, counts)
            if len(promising) < k:
                promising = places
        else:
            at, cut = len(terms), np.nextafter(0, 1)  # all that were found
        places = np.flatnonzero(scores >= cut - most[at])
        scores = scores[places]
        for term, yet in zip(terms[at:], most[at + 1 :], strict=True):
            scores += self._shares(weights[term], places, self._counts(where[term], places))
            enough = scores >= cut - yet
            places, scores = places[enough], scores[enough]
        return places, scores

    def _nothing(self, documents: Collection[str] | None) -> Array:
        """The scores of all chunks before anything is found; those that won't be: below any."""
        scores = np.zeros(self._chunks)
        scores[self._gone] = -np.inf
        if documents is not None:
            wanted = texts(documents)
            for one, first in zip(self._entries, self._firsts, strict=False):
                scores[first : first + len(one)][~one.of(wanted)] = -np.inf
        return scores

    def _forgotten(self, found: Occurrences) -> int:
        """How many of these chunks are deleted."""
        deleted = self._deleted[found.segment]
        return int(found.of(deleted)[1].sum()) if len(deleted) else 0

    def _shares(self, weight: float, places: Array, counts: Array) -> Array:
        """What a term adds to the scores of chunks in which it occurs so often."""
        shares: Array = counts / (counts + self._norms[self._codes[places]])
        return shares * np.float32(weight)

    def _everywhere(self, where: Sequence[Occurrences]) -> tuple[Array, Array]:
        places = [one.numbers + self._firsts[one.segment] for one in where]
        counts = [one.counts for one in where]
        return np.concatenate(places), np.concatenate(counts).astype(np.float32)

    def _counts(self, where: Sequence[Occurrences], places: Array) -> Array:
        """How often a term occurs in the chunks at these places, which are in order."""
        counts = np.zeros(len(places), np.float32)
        bounds = places.searchsorted(self._firsts)
        for one in where:
            mine = slice(bounds[one.segment], bounds[one.segment + 1])
            at, there = one.of(places[mine] - self._firsts[one.segment])
            counts[mine] = np.where(there, one.counts[at], 0)
        return counts

    def _first(self, places: Array, scores: Array, k: int) -> list[Scored]:
        """The first k of these places by their scores."""
        k = min(k, len(places))
        if k < 1:
            return []
        cut = _kth(scores, k)
        # In a segment places have the order of ids: no more than the first k ties are needed.
        best, ties = np.flatnonzero(scores > cut), np.flatnonzero(scores == cut)
        segments = self._segments(places[ties])
        best = np.concatenate([best, *(ties[segments == at][:k] for at in np.unique(segments))])
        named = map(Scored, self._ids(places[best]), scores[best].tolist())
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


def _kth(scores: Array, k: int) -> float:
    """The k-th best, or less than any score if there are fewer."""
    return float(np.partition(scores, -k)[-k]) if k <= len(scores) else -np.inf
