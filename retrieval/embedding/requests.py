"""Texts that somebody waits for together, and the vectors that have come."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np

from retrieval.embedding.lanes import Lane
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

OnRows = Callable[["Request", Sequence[int]], None]
"""Told which rows of a request have come, by the thread that has computed them."""


@dataclass(frozen=True, slots=True)
class Timings:
    """When a request came, a model took its first text, and the last vector was there, in seconds
    of the same clock; and its tokens.
    """

    arrived: float
    began: float
    completed: float
    tokens: int

    @property
    def queued(self) -> float:
        """Seconds until a model took the first text."""
        return self.began - self.arrived


class Request:
    """`vectors` `(n, d) float32` are filled row by row; `done` ends with all of them, or with
    what one of the texts failed with. Cancelling `done` drops what hasn't begun.
    """

    def __init__(
        self,
        texts: Sequence[TokenizedText],
        dimension: int,
        lane: Lane,
        on_rows: OnRows | None = None,
    ) -> None:
        self.texts = texts
        self.lane = lane
        self.taken_up = 0  # texts that have a place in the queue
        self.vectors: Vectors = np.zeros((len(texts), dimension), dtype=np.float32)
        self.done: Future[Vectors] = Future()
        self._missing = len(texts)
        self._on_rows = on_rows
        self._lock = threading.Lock()
        self._ended = False
        self._arrived = time.perf_counter()
        self._began = self._completed = 0.0

    @property
    def timings(self) -> Timings:
        """Of a request that has its vectors."""
        tokens = sum(text.count for text in self.texts)
        return Timings(self._arrived, self._began, self._completed, tokens)

    def begin(self) -> None:
        """A model takes texts of it."""
        self._began = self._began or time.perf_counter()

    def deliver(self, rows: Sequence[int], vectors: Vectors) -> None:
        """Vectors of some of its rows, each given once."""
        self.vectors[rows] = vectors
        if self._on_rows:
            try:
                self._on_rows(self, rows)
            except Exception as error:  # noqa: BLE001 - it is theirs, and so is what becomes of it
                self.fail(error)
        with self._lock:
            self._missing -= len(rows)
            complete = self._missing == 0
        if complete:
            self._completed = time.perf_counter()
            if self._ends():
                self.done.set_result(self.vectors)

    def fail(self, error: Exception) -> None:
        """One of its texts has no vector."""
        if self._ends():
            self.done.set_exception(error)

    def _ends(self) -> bool:
        """Whether it ends now: once, and not where who waited has gone."""
        with self._lock:
            first, self._ended = not self._ended, True
        return first and self.done.set_running_or_notify_cancel()
