"""The embedder: one model thread fed by two lanes, questions before documents.

    embed_query()     -> urgent lane --+
    embed_documents() -> patient lane -+-> batches by token budget -> model thread -> futures

No timer: when the model is free it takes what is queued. Whatever waits in the patient lane is
planned in one go, sorted by length so that little is padded, and the urgent lane is looked at
between two batches.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass

import numpy as np

from retrieval.embedding.identity import ModelIdentity
from retrieval.errors import EmbeddingFailed, Overloaded, TextTooLong
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vector, Vectors

_PLAN = 512  # texts planned together: enough to sort by length, few enough to stay fair
_URGENT_LIMIT = 4_096  # urgent texts that may wait
_NORM_TOLERANCE = 1e-2


@dataclass(frozen=True, slots=True)
class _Work:
    text: str
    tokens: int
    done: "Future[Vector]"


class Embedder:
    """Embeds questions and documents with one model. Any thread may call it."""

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._backend = backend
        self._urgent: deque[_Work] = deque()
        self._patient: deque[_Work] = deque()
        self._planned: deque[list[_Work]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="embedding-model", daemon=True)
        self._thread.start()

    @property
    def identity(self) -> ModelIdentity:
        return self._backend.identity

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a document: its prefix and the special tokens included."""
        prefix = self.identity.prefixes.document
        return self._backend.count_tokens([prefix + text for text in texts])

    def embed_query(self, text: str) -> Vector:
        """The `(d,)` unit vector of a question.

        A question longer than the window isn't cut: it is embedded in pieces, and their mean
        stands for it. Raises EmbeddingFailed, Overloaded.
        """
        prefix = self.identity.prefixes.query
        pieces = [prefix + piece for piece in self._pieces(text, prefix)]
        vectors = self._embed(pieces, urgent=True)
        if len(pieces) == 1:
            return np.asarray(vectors[0])
        mean = vectors.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    def embed_documents(
        self,
        texts: Sequence[str],
        *,
        urgent: bool = False,
        on_progress: Callable[[int], None] | None = None,
    ) -> Vectors:
        """The `(n, d)` unit vectors of passages that fit the window, in their order.

        `urgent` is for the few passages that somebody waits for. `on_progress` is called with
        the number done so far. Raises TextTooLong, EmbeddingFailed, Overloaded.
        """
        prefix = self.identity.prefixes.document
        return self._embed([prefix + text for text in texts], urgent, on_progress)

    def close(self) -> None:
        """Stop the model thread; what still waits fails with EmbeddingFailed."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()
        waiting = [*self._urgent, *self._patient, *(w for batch in self._planned for w in batch)]
        for work in waiting:
            if not work.done.done():
                work.done.set_exception(EmbeddingFailed("The embedder was closed."))

    def _pieces(self, text: str, prefix: str) -> Iterator[str]:
        """The text, in halves of halves until each fits the window with its prefix."""
        if self._backend.count_tokens([prefix + text])[0] <= self.identity.window or len(text) < 2:
            yield text
            return
        space = text.find(" ", len(text) // 2)
        middle = space if 0 <= space < len(text) * 3 // 4 else len(text) // 2
        yield from self._pieces(text[:middle], prefix)
        yield from self._pieces(text[middle:], prefix)

    def _embed(
        self,
        texts: Sequence[str],
        urgent: bool,
        on_progress: Callable[[int], None] | None = None,
    ) -> Vectors:
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        work = [
            _Work(text, tokens, Future())
            for text, tokens in zip(texts, self._backend.count_tokens(texts), strict=True)
        ]
        for item in work:
            if item.tokens > self.identity.window:
                raise TextTooLong(
                    f"A text of {item.tokens} tokens exceeds the window of {self.identity.name}, "
                    f"{self.identity.window} tokens. Split it first: {item.text[:60]!r}..."
                )
        self._submit(work, urgent)
        futures = [item.done for item in work]
        try:
            for count, _ in enumerate(as_completed(futures), start=1):
                if on_progress:
                    on_progress(count)
            return np.stack([future.result() for future in futures])
        finally:
            for future in futures:
                future.cancel()  # where a progress callback or one text failed: drop the rest

    def _submit(self, work: list[_Work], urgent: bool) -> None:
        with self._wake:
            if self._closed:
                raise EmbeddingFailed("The embedder is closed.")
            if urgent and len(self._urgent) + len(work) > _URGENT_LIMIT:
                raise Overloaded(f"{len(self._urgent)} texts wait to be embedded. Try again later.")
            (self._urgent if urgent else self._patient).extend(work)
            self._wake.notify()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._encode([w for w in batch if w.done.set_running_or_notify_cancel()])

    def _next_batch(self) -> list[_Work]:
        """The batch to run now, waiting until there is one; empty when closed."""
        with self._wake:
            self._wake.wait_for(
                lambda: self._closed or self._urgent or self._planned or self._patient
            )
            if self._closed:
                return []
            if self._urgent:
                return _take(self._urgent, self._backend.batch_tokens)
            if not self._planned:
                count = min(_PLAN, len(self._patient))
                plan = [self._patient.popleft() for _ in range(count)]
                queue = deque(sorted(plan, key=lambda w: w.tokens, reverse=True))
                while queue:
                    self._planned.append(_take(queue, self._backend.batch_tokens))
            return self._planned.popleft()

    def _encode(self, batch: list[_Work]) -> None:
        """Run the batch; where it fails, run its texts alone, so a poison text fails alone."""
        if not batch:
            return
        try:
            vectors = _checked(self._backend.encode([w.text for w in batch]), len(batch))
        except Exception as error:  # noqa: BLE001 - whatever a model raises ends up at its caller
            if len(batch) == 1:
                failure = EmbeddingFailed(f"The model failed on {batch[0].text[:60]!r}: {error}")
                failure.__cause__ = error
                batch[0].done.set_exception(failure)
                return
            for work in batch:
                self._encode([work])
            return
        for work, vector in zip(batch, vectors, strict=True):
            work.done.set_result(vector)


def _take(queue: deque[_Work], budget: int) -> list[_Work]:
    """Leave the queue's head for a batch of at most `budget` padded tokens, one text at least."""
    batch: list[_Work] = []
    longest = 0
    while queue:
        longest = max(longest, queue[0].tokens)
        if batch and longest * (len(batch) + 1) > budget:
            break
        batch.append(queue.popleft())
    return batch


def _checked(vectors: Vectors, count: int) -> Vectors:
    """The vectors, if there is one for each text and each is finite and of unit length."""
    if vectors.shape[0] != count:
        raise EmbeddingFailed(f"{vectors.shape[0]} vectors for {count} texts.")
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(norms - 1.0) < _NORM_TOLERANCE):
        raise EmbeddingFailed("A vector isn't finite or isn't of unit length.")
    return vectors
