"""The vectors of the last texts that somebody waited for: people ask again, page through what they
found, and ask more about the same passages.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

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

    def get(
        self, texts: Sequence[str], compute: Callable[[list[str]], Sequence[Vector]]
    ) -> tuple[list[Vector], int]:
        """The vectors of texts, not to be written to, and how many of them were known."""
        found: dict[str, Vector] = {}
        with self._lock:
            for text in texts:
                if text in self._vectors:
                    self._vectors.move_to_end(text)
                    found[text] = self._vectors[text]
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            for text, vector in zip(missing, compute(missing), strict=True):
                vector.flags.writeable = False
                found[text] = vector
                self._keep(text, vector)
        return [found[text] for text in texts], len(texts) - len(missing)

    def _keep(self, text: str, vector: Vector) -> None:
        with self._lock:
            if text not in self._vectors:
                self._held += self._size(text)
            self._vectors[text] = vector
            while self._held > _BYTES:
                forgotten, _ = self._vectors.popitem(last=False)
                self._held -= self._size(forgotten)

    def _size(self, text: str) -> int:
        return self._a_vector + _A_CHARACTER * len(text)
