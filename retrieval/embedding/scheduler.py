"""The embedder: model threads fed by lanes, questions before documents.

    embed_query()      -> questions --+
    submit()           -> calls     --+-> batches by token budget -> model threads -> futures
    stream_documents() -> documents --+

No timer: when a model thread is free it takes a batch of what waits. A model in this process has
one thread; one at a server has as many as requests may be in flight.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice

import numpy as np

from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.lanes import Lane, Lanes, Work
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
from retrieval.types import Vector, Vectors

_QUESTIONS_LIMIT = 4_096  # urgent texts that may wait
_NORM_TOLERANCE = 1e-2
_WORD = 24  # characters, which few are longer than
_AHEAD = 256  # texts of one document that wait at a time, so that others get their turn


class Embedder:
    """Embeds questions and documents with one model. Any thread may call it."""

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._backend = backend
        self._lanes = Lanes()
        self._wake = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"embedding-{number}", daemon=True)
            for number in range(backend.parallel)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def identity(self) -> ModelIdentity:
        return self._backend.identity

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a document: its prefix and the special tokens included."""
        prefix = self.identity.prefixes.document
        return self.count_raw([prefix + text for text in texts])

    def count_raw(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as it is, the special tokens included."""
        return self._backend.count_tokens(texts)

    def embed_query(self, text: str) -> Vector:
        """The `(d,)` unit vector of a question.

        A question longer than the window isn't cut: it is embedded in pieces, and their mean
        stands for it. Raises EmbeddingFailed, Overloaded.
        """
        prefix = self.identity.prefixes.query
        pieces = [prefix + piece for piece in self._pieces(text, prefix)]
        vectors = self._embed(pieces, Lane.QUESTION)
        if len(pieces) == 1:
            return np.asarray(vectors[0])
        mean = vectors.mean(axis=0)
        return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """The `(n, d)` unit vectors of questions that fit the window and nobody waits for.

        Raises TextTooLong, EmbeddingFailed.
        """
        prefix = self.identity.prefixes.query
        return self._embed([prefix + text for text in texts], Lane.DOCUMENT)

    def embed_documents(self, texts: Sequence[str], *, urgent: bool = False) -> Vectors:
        """The `(n, d)` unit vectors of passages that fit the window, in their order.

        `urgent` is for the few passages that somebody waits for. Raises TextTooLong,
        EmbeddingFailed, Overloaded.
        """
        prefix = self.identity.prefixes.document
        lane = Lane.QUESTION if urgent else Lane.DOCUMENT
        return self._embed([prefix + text for text in texts], lane)

    def stream_documents(
        self, texts: Mapping[str, str], tokens: Mapping[str, int] | None = None
    ) -> Iterator[dict[str, Vector]]:
        """The vectors of passages by their keys, in parts, each as soon as it is there.

        `tokens` says what `count_tokens` found, if it was asked. What waits is dropped when the
        caller stops. Raises TextTooLong, EmbeddingFailed.
        """
        prefix = self.identity.prefixes.document
        ahead = iter(texts.items())
        pending: dict[Future[Vector], str] = {}
        try:
            while True:
                taken = list(islice(ahead, _AHEAD - len(pending)))
                counts = [tokens[key] for key, _ in taken] if tokens else None
                futures = self.submit([prefix + text for _, text in taken], Lane.DOCUMENT, counts)
                pending |= zip(futures, (key for key, _ in taken), strict=True)
                if not pending:
                    return
                wait(pending, return_when=FIRST_COMPLETED)
                done = [future for future in pending if future.done()]
                ready = {pending[f]: f.result() for f in done if f.exception() is None}
                if ready:
                    yield ready
                for future in done:
                    future.result()  # raises what a text failed with
                    del pending[future]
        finally:
            for future in pending:
                future.cancel()

    def waiting(self, lane: Lane) -> int:
        """How many texts wait in a lane."""
        with self._wake:
            return self._lanes.waiting(lane)

    def fit(self, text: str, limit: int) -> tuple[str, int]:
        """The longest beginning of a text, taken as it is, that has at most `limit` tokens; and
        how many it has.
        """
        count = self._backend.count_tokens([text])[0]
        if count <= limit:
            return text, count
        fits, too_long = 0, len(text)
        step = 4 * limit  # characters; a word of English has about five and is often a token
        while too_long - fits > 1:
            middle = min(fits + step, (fits + too_long) // 2)
            if self._backend.count_tokens([text[:middle]])[0] <= limit:
                fits, step = middle, step * 2
            else:
                too_long = middle
        # More may fit than a little more: "express" may be one token and "expr" two.
        ends = range(fits, min(fits + _WORD, len(text)) + 1)
        counts = self._backend.count_tokens([text[:end] for end in ends])
        return next(
            (text[:end], count)
            for end, count in reversed([*zip(ends, counts, strict=True)])
            if count <= limit or end == fits
        )

    def submit(
        self, texts: Sequence[str], lane: Lane, counts: Sequence[int] | None = None
    ) -> "list[Future[Vector]]":
        """The vectors to come of texts, taken as they are; cancelling one drops its text.

        `counts` are their tokens, if they have been counted. Raises TextTooLong,
        EmbeddingFailed, Overloaded.
        """
        tokens = self.count_raw(texts) if counts is None else counts
        work = [Work(text, n, Future()) for text, n in zip(texts, tokens, strict=True)]
        for item in work:
            if item.tokens > self.identity.window:
                raise TextTooLong(
                    f"A text of {item.tokens} tokens exceeds the window of {self.identity.name}, "
                    f"{self.identity.window} tokens. Split it first: {item.text[:60]!r}..."
                )
        with self._wake:
            if self._closed:
                raise EmbeddingFailed("The embedder is closed.")
            waiting = self._lanes.waiting(lane)
            if lane is Lane.QUESTION and waiting + len(work) > _QUESTIONS_LIMIT:
                raise Overloaded(f"{waiting} texts wait to be embedded. Try again later.")
            self._lanes.add(lane, work)
            self._wake.notify(len(self._threads))
        return [item.done for item in work]

    def close(self) -> None:
        """Stop the model threads; what still waits fails with EmbeddingFailed."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()
        for work in self._lanes.drain():
            if not work.done.done():
                work.done.set_exception(EmbeddingFailed("The embedder was closed."))
        self._backend.close()

    def _pieces(self, text: str, prefix: str) -> Iterator[str]:
        """The text, in halves of halves until each fits the window with its prefix."""
        if self._backend.count_tokens([prefix + text])[0] <= self.identity.window or len(text) < 2:
            yield text
            return
        space = text.find(" ", len(text) // 2)
        middle = space if 0 <= space < len(text) * 3 // 4 else len(text) // 2
        yield from self._pieces(text[:middle], prefix)
        yield from self._pieces(text[middle:], prefix)

    def _embed(self, texts: Sequence[str], lane: Lane) -> Vectors:
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        futures = self.submit(texts, lane)
        try:
            return np.stack([future.result() for future in futures])
        finally:
            for future in futures:
                future.cancel()  # where one text failed: drop the rest

    def _run(self) -> None:
        while batch := self._next_batch():
            self._encode([w for w in batch if w.done.set_running_or_notify_cancel()])

    def _next_batch(self) -> list[Work]:
        """The batch to run now, waiting until there is one; empty when closed."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or len(self._lanes))
            return [] if self._closed else self._lanes.take(self._backend.batch_tokens)

    def _encode(self, batch: list[Work]) -> None:
        """Run the batch; where it fails, run its halves, so that a poison text fails alone."""
        if not batch:
            return
        try:
            vectors = _checked(self._backend.encode([w.text for w in batch]), len(batch))
        except Exception as error:  # noqa: BLE001 - whatever a model raises ends up at its caller
            if len(batch) == 1 or _hopeless(error):
                for work in batch:
                    work.done.set_exception(_explained(error, work))
                return
            middle = len(batch) // 2
            self._encode(batch[:middle])
            self._encode(batch[middle:])
            return
        for work, vector in zip(batch, vectors, strict=True):
            work.done.set_result(vector)


def _hopeless(error: Exception) -> bool:
    """Whether an error has nothing to do with the texts, so that fewer of them would fail too."""
    unavailable = isinstance(error, (ModelServerUnavailable, ModelUnavailable))
    return unavailable and not isinstance(error, ModelServerCrashed)


def _explained(error: Exception, work: Work) -> Exception:
    if isinstance(error, RetrievalError) and not isinstance(error, EmbeddingFailed):
        return error
    failure = EmbeddingFailed(f"The model failed on {work.text[:60]!r}: {error}")
    failure.__cause__ = error
    return failure


def _checked(vectors: Vectors, count: int) -> Vectors:
    """The vectors, if there is one for each text and each is finite and of unit length."""
    if vectors.shape[0] != count:
        raise EmbeddingFailed(f"{vectors.shape[0]} vectors for {count} texts.")
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.abs(norms - 1.0) < _NORM_TOLERANCE):
        raise EmbeddingFailed("A vector isn't finite or isn't of unit length.")
    return vectors
