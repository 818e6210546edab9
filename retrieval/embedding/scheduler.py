"""The scheduler of a model: threads fed by lanes, questions before documents.

    questions --+
    calls     --+-> batches by token budget -> model threads -> requests
    documents --+

Texts come tokenised, so that a model thread finds ids. No timer: when it is free it takes a batch
of what waits. As many threads as the model runs batches side by side: on a CPU each with its share
of the cores; on a GPU, where one computes while the next is prepared; at a server, where as many
requests are in flight.
"""

import math
import threading
import time
from collections.abc import Sequence

import numpy as np

from retrieval.embedding.lanes import Lane, Lanes, Work
from retrieval.embedding.meter import Measured, Meter
from retrieval.embedding.requests import OnRows, Request
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import (
    EmbeddingFailed,
    ModelServerCrashed,
    ModelServerUnavailable,
    ModelUnavailable,
    Overloaded,
    RetrievalError,
    TextTooLong,
)
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vectors

# Texts that may wait. Documents are bounded by those who bring them.
_MOST = {Lane.QUESTION: 4_096, Lane.CALL: 131_072, Lane.DOCUMENT: 1 << 31}
_NORM_TOLERANCE = 1e-2
_LONGEST_WAIT = 600  # seconds, after which nobody need be told to come back


class Scheduler:
    """Runs one model for all who have texts. Any thread may call it."""

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._backend = backend
        self._lanes = Lanes(backend.batch_tokens)
        self._meter = Meter()
        self._wake = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"embedding-{number}", daemon=True)
            for number in range(backend.parallel)
        ]
        for thread in self._threads:
            thread.start()

    def submit(
        self, texts: Sequence[TokenizedText], lane: Lane, on_rows: OnRows | None = None
    ) -> Request:
        """The vectors to come of texts, taken as they are.

        Equal texts in flight are embedded once. `on_rows` is told what has come. Raises
        TextTooLong, EmbeddingFailed, Overloaded.
        """
        identity = self._backend.identity
        for text in texts:
            if text.count > identity.window:
                raise TextTooLong(
                    f"A text of {text.count} tokens exceeds the window of {identity.name}, "
                    f"{identity.window} tokens. Split it first: {text.text[:60]!r}..."
                )
        request = Request(texts, identity.dimension, lane, on_rows)
        if not texts:
            request.done.set_result(request.vectors)
            return request
        with self._wake:
            if self._closed:
                raise EmbeddingFailed("The embedder is closed.")
            self._check_room(len(texts), lane)
            self._lanes.add(request)
            self._wake.notify(len(self._threads))
        request.done.add_done_callback(lambda _: self._forget(request))
        return request

    def check_room(self, texts: int, lane: Lane) -> None:
        """Raises Overloaded where as many wait in a lane as may; when to come back is measured."""
        with self._wake:
            self._check_room(texts, lane)

    def waiting(self, lane: Lane) -> int:
        """How many texts wait in a lane."""
        with self._wake:
            return self._lanes.waiting(lane)

    def measured(self) -> dict[Lane, Measured]:
        """What has been embedded, by lane."""
        return self._meter.by_lane()

    def close(self) -> None:
        """Stop the model threads; what still waits fails with EmbeddingFailed."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()
        for request in self._lanes.requests():
            request.fail(EmbeddingFailed("The embedder was closed."))
        self._backend.close()

    def _check_room(self, texts: int, lane: Lane) -> None:
        waiting = self._lanes.waiting(lane)
        if waiting + texts <= _MOST[lane]:
            return
        done = self._meter.by_lane()[lane]
        each = done.seconds / done.texts / len(self._threads) if done.texts else 0.0
        wait = min(_LONGEST_WAIT, max(1, math.ceil(waiting * each)))
        raise Overloaded(
            f"{waiting} texts wait to be embedded. Try again in {wait} seconds.", retry_after=wait
        )

    def _forget(self, request: Request) -> None:
        with self._wake:
            self._lanes.forget(request)

    def _run(self) -> None:
        while batch := self._next_batch():
            lane, began = batch[0].lane, time.perf_counter()
            try:
                failed = self._encode(batch)
            except Exception as error:  # noqa: BLE001 - this thread is the model's, for all to come
                failed = [(work, error) for work in batch]
            seconds = time.perf_counter() - began
            for work, why in failed:  # after what came of the others, which is kept
                self._fail(work, why)
            self._meter.batch(lane, [work.text for work in batch], seconds)
            with self._wake:
                self._lanes.spent(lane, seconds)

    def _next_batch(self) -> list[Work]:
        """The batch to run now, waiting until there is one; empty when closed."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._lanes)
            return [] if self._closed else self._lanes.take()

    def _encode(self, batch: Sequence[Work]) -> list[tuple[Work, Exception]]:
        """Run the batch; where it fails, run its halves, so that a poison text fails alone.

        What failed, and with what.
        """
        try:
            shape = (len(batch), self._backend.identity.dimension)
            urgent = batch[0].lane is Lane.QUESTION
            texts = [work.text for work in batch]
            vectors = _checked(self._backend.encode(texts, urgent=urgent), shape)
        except Exception as error:  # noqa: BLE001 - whatever a model raises ends up at its caller
            if len(batch) == 1 or _hopeless(error):
                return [(work, error) for work in batch]
            middle = len(batch) // 2
            return self._encode(batch[:middle]) + self._encode(batch[middle:])
        self._deliver(batch, vectors)
        return []

    def _deliver(self, batch: Sequence[Work], vectors: Vectors) -> None:
        """Hand the vectors of a batch to those who want them, to each at once."""
        rows: dict[Request, list[int]] = {}
        places: dict[Request, list[int]] = {}
        with self._wake:
            for place, work in enumerate(batch):
                for request, row in self._lanes.finish(work):
                    rows.setdefault(request, []).append(row)
                    places.setdefault(request, []).append(place)
        for request, own in rows.items():
            request.deliver(own, vectors[places[request]])

    def _fail(self, work: Work, error: Exception) -> None:
        self._meter.failure(work.lane)
        with self._wake:
            wanted = self._lanes.finish(work)
        for request, _ in wanted:
            request.fail(_explained(error, work))


def _hopeless(error: Exception) -> bool:
    """Whether an error has nothing to do with the texts, so that fewer of them would fail too."""
    unavailable = isinstance(error, (ModelServerUnavailable, ModelUnavailable))
    return unavailable and not isinstance(error, ModelServerCrashed)


def _explained(error: Exception, work: Work) -> Exception:
    if isinstance(error, RetrievalError) and not isinstance(error, EmbeddingFailed):
        return error
    failure = EmbeddingFailed(f"The model failed on {work.text.text[:60]!r}: {error}")
    failure.__cause__ = error
    return failure


def _checked(vectors: Vectors, shape: tuple[int, int]) -> Vectors:
    """The vectors, if there is one for each text and each is finite and of unit length."""
    if vectors.shape != shape:
        raise EmbeddingFailed(f"Vectors of {vectors.shape} where {shape} were expected.")
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(norms - 1.0) < _NORM_TOLERANCE):
        raise EmbeddingFailed("A vector isn't finite or isn't of unit length.")
    return vectors
