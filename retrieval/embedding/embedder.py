"""The embedder: questions and documents to vectors, by one model under its scheduler."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from itertools import compress, takewhile
from queue import SimpleQueue

import numpy as np

from retrieval.embedding.identity import ModelIdentity
from retrieval.embedding.lanes import Lane
from retrieval.embedding.meter import Measured
from retrieval.embedding.recent import RecentVectors
from retrieval.embedding.requests import OnRows, Request
from retrieval.embedding.scheduler import Scheduler
from retrieval.embedding.tokens import Ids, TokenizedText
from retrieval.embedding.unit import to_unit
from retrieval.errors import TextTooLong
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vector, Vectors

_WORD = 24  # characters, which few are longer than
_HEAD = 8  # characters for each token that may be read, of which most texts have fewer
_MORE = 4  # times as many where that isn't enough
_MARGIN = 200  # tokens: beyond them the end of what is looked at changes nothing before it
_TOGETHER = 2_048  # texts that are tokenised while those before them are embedded


class Embedder:
    """Embeds questions and documents with one model. Any thread may call it.

    Texts are tokenised by whoever brings them, in their own thread.
    """

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._backend = backend
        self._scheduler = Scheduler(backend)
        self._questions = RecentVectors(backend.identity.dimension)
        self._passages = RecentVectors(backend.identity.dimension)
        self._remembered = 0

    @property
    def identity(self) -> ModelIdentity:
        return self._backend.identity

    @property
    def tokenizer(self) -> str:
        """See `EmbeddingBackend.tokenizer`."""
        return self._backend.tokenizer

    @property
    def batch_tokens(self) -> int:
        """See `EmbeddingBackend.batch_tokens`."""
        return self._backend.batch_tokens

    @property
    def parallel(self) -> int:
        """See `EmbeddingBackend.parallel`."""
        return self._backend.parallel

    @property
    def runtime(self) -> str:
        """What computes: two of one identity round otherwise."""
        return type(self._backend).__name__

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a document: its prefix and the special tokens included."""
        prefix = self.identity.prefixes.document
        return self._backend.count_tokens([prefix + text for text in texts])

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Each text as the model reads a document: with its prefix."""
        prefix = self.identity.prefixes.document
        return self.tokenize_raw([prefix + text for text in texts])

    def tokenize_raw(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Each text as it is."""
        return self._backend.tokenize(texts)

    def legible(self, text: str) -> float:
        """The share of a question's tokens that the model knows as words, in [0, 1]: those that the
        vocabulary doesn't have are one to it, and of a name in pieces it knows little. 1 of a model
        elsewhere whose vocabulary isn't known.
        """
        [read] = self.tokenize_raw([text])
        return 1.0 - read.unread / max(1, read.count - self._added)

    def embed_query(self, text: str) -> Vector:
        """The `(d,)` unit vector of a question, not to be written to.

        A question longer than the window isn't cut: it is embedded in pieces, and their mean
        stands for it. One of the last thousands isn't embedded again. Raises EmbeddingFailed,
        Overloaded.
        """
        prefix = self.identity.prefixes.query
        [vector], known = self._questions.get([text], lambda _: [self._whole(text, prefix)])
        self._remembered += known
        return vector

    def embed_questions(self, texts: Sequence[str]) -> Vectors:
        """The `(n, d)` unit vectors of questions that fit the window and nobody waits for.

        Raises TextTooLong, EmbeddingFailed.
        """
        prefix = self.identity.prefixes.query
        return self._embed([prefix + text for text in texts], Lane.DOCUMENT)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """The `(n, d)` unit vectors of passages that fit the window, in their order.

        Raises TextTooLong, EmbeddingFailed.
        """
        prefix = self.identity.prefixes.document
        return self._embed([prefix + text for text in texts], Lane.DOCUMENT)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """The `(n, d)` unit vectors of a few passages that somebody waits for, in their order.

        One longer than the window is embedded in pieces, as a question is; one that somebody waited
        for lately isn't embedded again. Raises EmbeddingFailed, Overloaded.
        """
        found, _ = self._passages.get(texts, lambda missing: [*self._waited_for(missing)])
        return np.stack(found) if found else np.zeros((0, self.identity.dimension), np.float32)

    def stream_documents(self, texts: Mapping[str, TokenizedText]) -> Iterator[dict[str, Vector]]:
        """The vectors of passages by their keys, in parts, each as soon as it is there.

        What waits is dropped when the caller stops. Raises TextTooLong, EmbeddingFailed.
        """
        keys = list(texts)
        arrived: SimpleQueue[Sequence[int] | None] = SimpleQueue()
        request = self.submit(
            list(texts.values()), Lane.DOCUMENT, lambda _, rows: arrived.put(rows)
        )
        request.done.add_done_callback(lambda _: arrived.put(None))
        try:
            while (rows := arrived.get()) is not None:
                yield {keys[row]: request.vectors[row] for row in rows}
            request.done.result()  # raises what a text failed with
        finally:
            request.done.cancel()

    def read(self, texts: Sequence[str], limit: int, *, cut: bool) -> list[TokenizedText]:
        """Each text as it is, and of those with more than `limit` tokens what a tokenizer that cuts
        leaves: the first ones, with the special ones around them. Of a long text no more is looked
        at than that takes.

        Raises TextTooLong where one has more and mayn't be `cut`.
        """
        heads = self.tokenize_raw([text[: _HEAD * limit] for text in texts])
        return [
            head
            if head.count <= limit and len(head.text) == len(text)
            else self._beginning(text, head, limit, cut)
            for text, head in zip(texts, heads, strict=True)
        ]

    def fit(self, text: str, limit: int) -> TokenizedText:
        """The longest beginning of a text, taken as it is, that has at most `limit` tokens."""
        [whole] = self.tokenize_raw([text])
        if whole.count <= limit:
            return whole
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
        beginnings = self.tokenize_raw([text[:end] for end in ends])
        return next(b for b in reversed(beginnings) if b.count <= limit or len(b.text) == fits)

    def check_room(self, texts: int, lane: Lane) -> None:
        """Raises Overloaded where so many can't be taken: see `Scheduler.submit`."""
        self._scheduler.check_room(texts, lane)

    def submit(
        self, texts: Sequence[TokenizedText], lane: Lane, on_rows: OnRows | None = None
    ) -> Request:
        """The vectors to come of texts: see `Scheduler.submit`."""
        return self._scheduler.submit(texts, lane, on_rows)

    def waiting(self, lane: Lane) -> int:
        """How many texts wait in a lane."""
        return self._scheduler.waiting(lane)

    def measured(self) -> dict[Lane, Measured]:
        """What has been embedded, by lane."""
        return self._scheduler.measured()

    @property
    def questions_remembered(self) -> int:
        """Questions that were answered without the model."""
        return self._remembered

    def close(self) -> None:
        """Stop; what still waits fails with EmbeddingFailed."""
        self._scheduler.close()

    def _beginning(self, text: str, head: TokenizedText, limit: int, cut: bool) -> TokenizedText:
        """What is read of a text, of which `head` is known."""
        while head.count < limit + _MARGIN and len(head.text) < len(text):
            [head] = self.tokenize_raw([text[: _MORE * len(head.text)]])
        if head.count <= limit:
            return head
        if not cut:
            raise TextTooLong(f"A text of more than {limit} tokens: {text[:60]!r}...")
        if not head.ids.size:  # a model elsewhere reads it
            return self.fit(head.text, limit)
        before, after = self._specials
        ids = np.concatenate([head.ids[: max(before, limit - len(after))], after])
        return TokenizedText(head.text, len(ids), ids)

    @cached_property
    def _added(self) -> int:
        """How many special tokens a text has."""
        [count] = self._backend.count_tokens([""])
        return count

    @cached_property
    def _specials(self) -> tuple[int, Ids]:
        """How many special tokens stand before a text, and the ids of those behind it."""
        nothing, something = (one.ids.tolist() for one in self.tokenize_raw(["", "a"]))
        same = takewhile(lambda pair: pair[0] == pair[1], zip(nothing, something, strict=False))
        before = len(list(same))
        return before, np.array(nothing[before:], dtype=np.int32)

    def _waited_for(self, texts: Sequence[str]) -> Vectors:
        prefix = self.identity.prefixes.document
        read = self.tokenize([*texts])
        fits = [text.count <= self.identity.window for text in read]
        request = self.submit(list(compress(read, fits)), Lane.QUESTION)
        vectors = np.empty((len(texts), self.identity.dimension), dtype=np.float32)
        vectors[fits] = _outcome([request])
        for at, fit in enumerate(fits):
            if not fit:
                vectors[at] = self._whole(texts[at], prefix)
        return vectors

    def _whole(self, text: str, prefix: str) -> Vector:
        """The mean of a text's pieces, which most often is one."""
        request = self.submit(list(self._pieces(text, prefix)), Lane.QUESTION)
        vectors = _outcome([request])
        if len(vectors) == 1:
            return np.asarray(vectors[0])
        return np.asarray(to_unit(vectors.mean(axis=0, keepdims=True))[0])

    def _pieces(self, text: str, prefix: str) -> Iterator[TokenizedText]:
        """A text, in halves of halves until each fits the window with its prefix."""
        [piece] = self.tokenize_raw([prefix + text])
        if piece.count <= self.identity.window or len(text) < 2:
            yield piece
            return
        space = text.find(" ", len(text) // 2)
        middle = space if 0 <= space < len(text) * 3 // 4 else len(text) // 2
        yield from self._pieces(text[:middle], prefix)
        yield from self._pieces(text[middle:], prefix)

    def _embed(self, texts: Sequence[str], lane: Lane) -> Vectors:
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        with ExitStack() as unless_over:
            requests = []
            for at in range(0, len(texts), _TOGETHER):
                requests.append(self.submit(self.tokenize_raw(texts[at : at + _TOGETHER]), lane))
                unless_over.callback(requests[-1].done.cancel)  # where another part failed
            return _outcome(requests)


def _outcome(requests: Sequence[Request]) -> Vectors:
    """The vectors of all. Raises what one of them failed with."""
    found = [request.done.result() for request in requests]
    return found[0] if len(found) == 1 else np.concatenate(found)
