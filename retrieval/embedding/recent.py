"""The vectors of the last questions: people ask again, and page through what they found."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from retrieval.types import Vector

_BYTES = 16_000_000


class RecentVectors:
    """Vectors by text, the least recently asked for forgotten first. Any thread may call it."""

    def __init__(self, dimension: int) -> None:
        self._most = max(1, _BYTES // (4 * max(1, dimension)))
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
            self._vectors[text] = vector
            if len(self._vectors) > self._most:
                self._vectors.popitem(last=False)
        return vector, False
