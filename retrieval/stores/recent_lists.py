"""What was read last of the segments of lexical stores: they never change, so it stays right."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from retrieval.stores.segments import Array

ListId: TypeAlias = tuple[str, bytes]
"""A segment, and the key of a term."""

List: TypeAlias = tuple[Array, ...]
"""The numbers of chunks, and how often a term occurs in each."""

_RECENT = 256_000_000  # bytes of lists in memory; all those of a million chunks have 350
_A_LIST = 500  # bytes of its objects


class RecentLists:
    """What was asked for last of any segments: the chunks of a term and its counts there. Any
    thread may call it.
    """

    def __init__(self) -> None:
        self._held = 0  # bytes
        self._lists: OrderedDict[ListId, List] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, asked: Iterable[ListId]) -> dict[ListId, List]:
        """Those of them that are kept."""
        found: dict[ListId, List] = {}
        with self._lock:
            for one in asked:
                if (kept := self._lists.get(one)) is not None:
                    self._lists.move_to_end(one)
                    found[one] = kept
        return found

    def keep(self, read: Mapping[ListId, List]) -> None:
        """Keep these, and of the others as many as there is room for."""
        with self._lock:
            for one, found in read.items():
                if one not in self._lists:
                    self._held += _size(found)
                self._lists[one] = found
            while self._held > _RECENT:
                _, forgotten = self._lists.popitem(last=False)
                self._held -= _size(forgotten)


def _size(found: List) -> int:
    return sum(array.nbytes for array in found) + _A_LIST
