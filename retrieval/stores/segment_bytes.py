"""How segments are written: arrays of numbers one behind the other, little-endian."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from retrieval.stores.segments import KEY, NUMBER, WIDE, Array, Entries, Postings

_NARROW = np.dtype("u1")  # of counts, unless one of a page is larger


def write_entries(entries: Entries) -> bytes:
    """What `read_entries` reads."""
    sizes = [len(entries), len(entries.documents)]
    widths = [entries.ids.itemsize, entries.documents.itemsize]
    header = np.array([*sizes, *widths], WIDE)
    parts = (header, entries.ids, entries.documents, entries.owners, entries.lengths)
    return b"".join(part.tobytes() for part in parts)


def read_entries(data: bytes) -> Entries:
    read = _Reader(data)
    count, documents, width, wide = read.array(WIDE, 4).tolist()
    return Entries(
        read.array(np.dtype(f"S{width}"), count),
        read.array(np.dtype(f"S{wide}"), documents),
        read.array(NUMBER, count),
        read.array(WIDE, count),
    )


def write_pages(postings: Postings, pages: int) -> Iterator[bytes]:
    """The pages of a segment, each as `read_page` reads it."""
    beginnings = postings.keys.view(">u4")[::4].astype(np.int64)  # see page_of
    cuts = np.searchsorted(beginnings * pages >> 32, np.arange(pages + 1))
    ends = np.concatenate([[0], postings.ends]).astype(np.int64)
    for first, last in itertools.pairwise(cuts.tolist()):
        numbers = postings.numbers[ends[first] : ends[last]]
        counts = postings.counts[ends[first] : ends[last]]
        width = _NARROW if counts.max(initial=0) <= np.iinfo(_NARROW).max else WIDE
        header = np.array([last - first, len(numbers), width.itemsize], WIDE)
        own = (ends[first + 1 : last + 1] - ends[first]).astype(WIDE)
        parts = (header, postings.keys[first:last], own, numbers, counts.astype(width))
        yield b"".join(part.tobytes() for part in parts)


def read_page(data: bytes) -> Postings:
    read = _Reader(data)
    terms, count, width = read.array(WIDE, 3).tolist()
    return Postings(
        read.array(KEY, terms),
        read.array(WIDE, terms),
        read.array(NUMBER, count),
        read.array(_NARROW if width == _NARROW.itemsize else WIDE, count),
    )


def read_pages(pages: Iterable[bytes]) -> Postings:
    """All postings of a segment, from its pages in their order."""
    every = [read_page(page) for page in pages]
    firsts = np.cumsum([0, *(len(page.numbers) for page in every)])
    return Postings(
        np.concatenate([page.keys for page in every]),
        np.concatenate([page.ends + first for page, first in zip(every, firsts, strict=False)]),
        np.concatenate([page.numbers for page in every]),
        np.concatenate([page.counts.astype(WIDE) for page in every]),
    )


class _Reader:
    """Arrays one behind the other in the same bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def array(self, kind: np.dtype[Any], count: int) -> Array:
        found = np.frombuffer(self._data, kind, count, self._at)
        self._at += found.nbytes
        return found
