"""The vectors of the last questions: people ask again, and page through what they found."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from retrieval.types import Vector

_BYTES = 16_000_000
_A_CHARACTER = 4  # bytes, at the most


class RecentVectors:
    """Vectors by text, the least recently asked for forgotten first. Any thread may call it."""

    def __init__(self, dimension: int) -> None:
        self._a_vector = 4 * dimension
        self._held = 0  # bytes
        self._vectors: OrderedDict[str, Vector] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, compute: Callable[[], Vector]) -> tuple[Vector, bool]:
        """The vector of a text, and whether it was known."""
        with self._lock:
            known = self._vectors.get(text)
            if known is not None:
                self._vectors.move_to_end(text)
                return known, True
        vector = compute()
        vector.flags.writeable = False
        with self._lock:
            if text not in self._vectors:
                self._held += self._size(text)
            self._vectors[text] = vector
            while self._held > _BYTES:
                forgotten, _ = self._vectors.popitem(last=False)
                self._held -= self._size(forgotten)
        return vector, False

    def _size(self, text: str) -> int:
        return self._a_vector + _A_CHARACTER * len(text)
