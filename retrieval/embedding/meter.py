"""What an embedder has done: counts, and how full and how long its batches were."""

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from retrieval.embedding.lanes import Lane
from retrieval.embedding.tokens import TokenizedText

TOKEN_BOUNDS = (16, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536)
"""Upper bounds of the classes that batches are counted in by their tokens; one more is open."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one lane, since the start. `padded` is what the model computed, longest x texts.

    `classes`: batches by `TOKEN_BOUNDS`.
    """

    batches: int = 0
    texts: int = 0
    tokens: int = 0
    padded: int = 0
    failed: int = 0
    seconds: float = 0.0
    classes: tuple[int, ...] = field(default=(0,) * (len(TOKEN_BOUNDS) + 1))


class Meter:
    """Counts batches by lane. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._measured = {lane: Measured() for lane in Lane}

    def batch(self, lane: Lane, texts: Sequence[TokenizedText], seconds: float) -> None:
        """A batch that a model has run, be it in parts."""
        counts = [text.count for text in texts]
        tokens = sum(counts)
        at = bisect_left(TOKEN_BOUNDS, tokens)
        with self._lock:
            was = self._measured[lane]
            self._measured[lane] = replace(
                was,
                batches=was.batches + 1,
                texts=was.texts + len(counts),
                tokens=was.tokens + tokens,
                padded=was.padded + max(counts) * len(counts),
                seconds=was.seconds + seconds,
                classes=(*was.classes[:at], was.classes[at] + 1, *was.classes[at + 1 :]),
            )

    def failure(self, lane: Lane) -> None:
        """A text that the model has no vector for."""
        with self._lock:
            was = self._measured[lane]
            self._measured[lane] = replace(was, failed=was.failed + 1)

    def by_lane(self) -> dict[Lane, Measured]:
        with self._lock:
            return dict(self._measured)
