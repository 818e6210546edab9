"""Postings of many chunks as arrays: what a lexical index in a database is made of.

A segment is written once and never changed, so whoever has read a part of it may keep it. Its
chunks are numbered in the order of their ids. Its terms are known by 128 bits of their BLAKE2b,
and lie in the order of those bits, on pages that each hold an equal share of all possible bits:
where a term would be is known before anything is read.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from retrieval.analysis import analyse
from retrieval.ports import Posting

Array: TypeAlias = npt.NDArray[Any]

LARGEST = 1 << 16
"""Chunks of a segment at the most: their numbers have 16 bits."""

_PAGE = 256  # postings: 1 to 2 kB with their terms, which Postgres keeps in the row
_DOUBLINGS = 2
KEY = np.dtype("S16")
NUMBER, WIDE = np.dtype("<u2"), np.dtype("<u4")


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """The chunks of a segment, in the order of their ids: whose they are, how many terms they have.

    `ids` `(n,)` and `documents` are UTF-8, the latter distinct and in order; `owners` `(n,)` says
    which of those a chunk belongs to.
    """

    ids: Array
    documents: Array
    owners: Array
    lengths: Array

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, ids: Array) -> Array:
        """The numbers of those of the ids that are there."""
        at = np.searchsorted(self.ids, ids)
        at = at[at < len(self)] if len(self) else at[:0]
        return at[np.isin(self.ids[at], ids)]

    def of(self, documents: Array) -> Array:
        """`(n,) bool`: the chunks of these documents."""
        return np.isin(self.documents, documents)[self.owners]


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """In which chunks each of some terms occurs, and how often.

    `keys` `(t,)` in order; the postings of the term at i are those up to `ends[i]`, `numbers` and
    `counts` `(p,)`, by number.
    """

    keys: Array
    ends: Array
    numbers: Array
    counts: Array

    def of(self, key: bytes) -> tuple[Array, Array]:
        """The chunks of a term and its counts there; none, if it isn't here."""
        wanted = np.frombuffer(key, KEY)
        at = int(self.keys.searchsorted(wanted)[0])
        if at == len(self.keys) or self.keys[at] != wanted[0]:
            return self.numbers[:0], self.counts[:0]
        start = int(self.ends[at - 1]) if at else 0
        return self.numbers[start : self.ends[at]], self.counts[start : self.ends[at]]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """All of a segment, before it is written or after it was read whole."""

    entries: Entries
    postings: Postings

    @property
    def pages(self) -> int:
        """How many pages its postings take."""
        return len(self.postings.numbers) // _PAGE + 1


def texts(values: Iterable[str]) -> Array:
    """Ids as arrays have them; none ends in U+0000."""
    return np.array([value.encode() for value in values], dtype="S")


def keys(terms: Iterable[str]) -> list[bytes]:
    """What terms are known by."""
    return [blake2b(t.encode(errors="surrogatepass"), digest_size=16).digest() for t in terms]


def page_of(key: bytes, pages: int) -> int:
    """On which of so many pages a key lies."""
    return int.from_bytes(key[:4], "big") * pages >> 32


def segment_of(postings: Sequence[Posting]) -> Segment:
    """The segment of these chunks, of which no two have the same id."""
    ordered = sorted(postings, key=lambda posting: posting.id)
    counted = [Counter(analyse(posting.text)) for posting in ordered]
    vocabulary = {term: at for at, term in enumerate(dict.fromkeys(t for c in counted for t in c))}
    documents, owners = np.unique(texts(p.document_id for p in ordered), return_inverse=True)
    entries = Entries(
        texts(posting.id for posting in ordered),
        documents,
        owners.astype(NUMBER),
        np.array([counts.total() for counts in counted], WIDE),
    )
    terms = np.array([vocabulary[term] for counts in counted for term in counts], np.int64)
    numbers = np.repeat(np.arange(len(counted)), [len(counts) for counts in counted])
    counts = np.array([count for counts in counted for count in counts.values()], WIDE)
    return Segment(entries, _ordered(np.array(keys(vocabulary), KEY), terms, numbers, counts))


def merged(segments: Sequence[Segment], kept: Sequence[Array]) -> Segment:
    """One segment of those chunks of several that are kept, `(n,) bool` each."""
    entries = [segment.entries for segment in segments]
    ids = np.concatenate([one.ids[keep] for one, keep in zip(entries, kept, strict=True)])
    order = np.argsort(ids)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    owned = [one.documents[one.owners[keep]] for one, keep in zip(entries, kept, strict=True)]
    documents, owners = np.unique(np.concatenate(owned), return_inverse=True)
    lengths = np.concatenate([one.lengths[keep] for one, keep in zip(entries, kept, strict=True)])
    together = Entries(ids[order], documents, owners[order].astype(NUMBER), lengths[order])

    every, terms = np.unique(
        np.concatenate([segment.postings.keys for segment in segments]), return_inverse=True
    )
    sizes = [np.diff(segment.postings.ends, prepend=0) for segment in segments]
    stay = np.concatenate(
        [keep[one.postings.numbers] for one, keep in zip(segments, kept, strict=True)]
    )
    firsts = np.cumsum([0, *(keep.sum() for keep in kept)])
    numbers = np.concatenate(
        [
            (np.cumsum(keep) - 1 + first)[one.postings.numbers]
            for one, keep, first in zip(segments, kept, firsts, strict=False)
        ]
    )
    counts = np.concatenate([segment.postings.counts for segment in segments])
    terms = np.repeat(terms, np.concatenate(sizes))
    return Segment(together, _ordered(every, terms[stay], place[numbers[stay]], counts[stay]))


def _ordered(keys: Array, terms: Array, numbers: Array, counts: Array) -> Postings:
    """Postings by key and number, `terms` saying which of the keys each has."""
    by_key = np.argsort(keys)
    rank = np.empty(len(keys), np.int64)
    rank[by_key] = np.arange(len(keys))
    place = rank[terms]
    order = np.argsort(place * LARGEST + numbers)
    sizes = np.bincount(place, minlength=len(keys))
    occurring = sizes > 0
    return Postings(
        keys[by_key][occurring],
        np.cumsum(sizes[occurring]).astype(WIDE),
        numbers[order].astype(NUMBER),
        counts[order],
    )


def due(live: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Which segments are to become one now: by how many of their chunks are live, and how many
    they have; none if there are few enough already.

    One that is half deleted is written anew. Otherwise four are put together that are about as
    large, so that a chunk is written again once for each time that its store grows fourfold.
    """
    for at, (left, size) in enumerate(zip(live, sizes, strict=True)):
        if 2 * left < size:
            return [at]
    levels = defaultdict(list)
    for at in sorted(range(len(live)), key=live.__getitem__):
        levels[live[at].bit_length() // _DOUBLINGS].append(at)
    for level in levels.values():
        room = itertools.accumulate(live[at] for at in level)
        fitting = [at for at, total in zip(level, room, strict=True) if total <= LARGEST]
        if len(level) >= 1 << _DOUBLINGS and len(fitting) > 1:
            return fitting
    return []
