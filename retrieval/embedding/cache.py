"""Every vector ever computed, by model and text: nothing is embedded twice.

This is also the durable copy from which the vector store can be filled again.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from sqlalchemy import Connection, delete, exists, select

from retrieval.database import Database
from retrieval.embedding.claims import Claims
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.tokens import TokenizedText
from retrieval.schema import (
    UNFINISHED,
    chunks,
    embeddings,
    generations,
    jobs,
    vector_of_chunk,
)
from retrieval.sql import insert_new
from retrieval.types import Vector, Vectors

_SLICE = 500  # values in one IN (...)
_LOOK = 1.0  # seconds between two looks whether who waits for a text still wants it


IS_USED = exists(
    select(chunks.c.id)
    .join(generations, generations.c.id == chunks.c.generation_id)
    .where(vector_of_chunk(generations.c.model_fingerprint))
)
"""Whether a vector is that of any chunk."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors `(n, d)` of n texts, and how many of them had to be computed."""

    vectors: Vectors
    computed: int


def text_hash(text: str) -> str:
    """The key of a text in the cache."""
    return sha256(text.encode()).hexdigest()


def to_vector(blob: bytes) -> Vector:
    return np.frombuffer(blob, dtype="<f4")


class CachedEmbedder:
    """Embeds passages, each only if the catalogue doesn't know its vector.

    All that write into one catalogue share their claims.
    """

    def __init__(self, embedder: Embedder, database: Database, claims: Claims) -> None:
        self._embedder = embedder
        self._database = database
        self._claims = claims
        self._model = embedder.identity.fingerprint

    def embed(
        self,
        texts: Sequence[str],
        on_progress: Callable[[int], None] | None = None,
        tokenized: Sequence[TokenizedText] | None = None,
    ) -> Embedded:
        """The vectors of these passages, each kept as soon as it is there.

        `tokenized` are the texts as the model reads them, where that is known already
        (`Embedder.tokenize`). `on_progress` is called with the number of texts whose vectors are
        kept. What a crash can cost is what the model had in hand, and what came out of it during
        one commit. A text that somebody else embeds just now is waited for.
        """
        hashes = [text_hash(text) for text in texts]
        wanted = dict(zip(hashes, texts, strict=True))
        read = dict(zip(hashes, tokenized, strict=True)) if tokenized else {}
        known: dict[str, Vector] = {}
        computed = 0

        def report() -> None:
            if on_progress:
                on_progress(len(texts) - len(wanted) + len(known))

        while missing := {key: text for key, text in wanted.items() if key not in known}:
            with closing(self._claimed(missing, read)) as parts:
                for part, is_new in parts:
                    known |= part
                    computed += is_new * len(part)
                    report()
            elsewhere = [key for key in missing if key not in known]
            while not self._claims.wait(self._model, elsewhere, _LOOK):
                report()
        result = np.zeros((len(texts), self._embedder.identity.dimension), dtype=np.float32)
        for row, key in enumerate(hashes):
            result[row] = known[key]
        return Embedded(result, computed)

    def _claimed(
        self, texts: Mapping[str, str], read: Mapping[str, TokenizedText]
    ) -> Generator[tuple[dict[str, Vector], bool]]:
        """The vectors of those texts that nobody else embeds, in parts, and whether they are new.

        The first part is what was known, be it nothing.
        """
        mine = self._claims.take(self._model, texts)
        try:
            known = self.lookup(key for key in texts if key in mine)
            self._claims.release(self._model, known)
            mine -= known.keys()
            yield known, False
            lacking = [key for key in texts if key in mine]
            unread = [key for key in lacking if key not in read]
            known_by_now = self._embedder.tokenize([texts[key] for key in unread])
            read = {**read, **dict(zip(unread, known_by_now, strict=True))}
            for fresh in self._embedder.stream_documents({key: read[key] for key in lacking}):
                with self._database.write() as connection:
                    keep_vectors(connection, self._model, fresh)
                self._claims.release(self._model, fresh)
                mine -= fresh.keys()
                yield fresh, True
        finally:
            self._claims.release(self._model, mine)

    def forget(self, texts: Iterable[str]) -> None:
        """Delete the vectors of texts that turned out to be no chunks of anything."""
        with self._database.write() as connection:
            forget_vectors(connection, self._model, map(text_hash, texts))

    def lookup(self, hashes: Iterable[str]) -> dict[str, Vector]:
        """The vectors that are known, by text hash."""
        wanted = list(dict.fromkeys(hashes))
        found: dict[str, Vector] = {}
        with self._database.glance() as connection:  # a vector never changes
            for at in range(0, len(wanted), _SLICE):
                rows = connection.execute(
                    select(embeddings.c.text_hash, embeddings.c.vector).where(
                        embeddings.c.model_fingerprint == self._model,
                        embeddings.c.text_hash.in_(wanted[at : at + _SLICE]),
                    )
                )
                found.update((key, to_vector(blob)) for key, blob in rows)
        return found


def keep_vectors(connection: Connection, model: str, vectors: Mapping[str, Vector]) -> None:
    """Write vectors by text hash; those that are there already stay."""
    rows = [
        {"model_fingerprint": model, "text_hash": key, "vector": vector.astype("<f4").tobytes()}
        for key, vector in vectors.items()
    ]
    insert_new(connection, embeddings, rows)


def forget_unused(database: Database) -> bool:
    """Delete the vectors of no chunk, unless a job is unfinished, which may have made them.

    Whether it was done. A job is written before it embeds anything, so none can come in between.
    """
    with database.write() as connection:
        if connection.scalar(select(exists().where(jobs.c.state.in_(UNFINISHED)))):
            return False
        connection.execute(delete(embeddings).where(~IS_USED))
        return True


def forget_vectors(connection: Connection, model: str, hashes: Iterable[str]) -> None:
    """Delete those of these vectors that no chunk has."""
    ordered = sorted(set(hashes))
    for at in range(0, len(ordered), _SLICE):
        connection.execute(
            delete(embeddings).where(
                embeddings.c.model_fingerprint == model,
                embeddings.c.text_hash.in_(ordered[at : at + _SLICE]),
                ~IS_USED,
            )
        )
