"""What is in a data directory, in a form that two directories can be compared in."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from retrieval.embedding.cache import to_vector
from retrieval.engine import Engine
from retrieval.schema import LIVE_VERSION, chunks, documents, embeddings, pages, versions
from retrieval.stretches import whole_text
from retrieval.types import KnowledgeBase, Vector

Chunk = tuple[str, int, int, str]
"""A uri, a span, and the hash of what was embedded."""

_CLOSE = 1e-4  # a batch of other texts moves the last bits of a vector


@dataclass(frozen=True, slots=True)
class State:
    """Texts by uri, chunks with their vectors, the chunks each store holds, and the bytes."""

    texts: dict[str, str]
    pages: frozenset[tuple[str, int, int, int]]
    chunks: dict[Chunk, Vector]
    in_vectors: frozenset[Chunk]
    in_postings: frozenset[Chunk]
    cached: int
    blobs: frozenset[str]

    def differences(self, other: "State") -> list[str]:
        """What sets two states apart, in words; nothing if they are equal."""
        found = [
            f"{name}: {len(mine ^ theirs)} differ"
            for name, mine, theirs in (
                ("documents", {*self.texts.items()}, {*other.texts.items()}),
                ("pages", self.pages, other.pages),
                ("spans", self.chunks.keys(), other.chunks.keys()),
                ("vector store", self.in_vectors, other.in_vectors),
                ("postings", self.in_postings, other.in_postings),
                ("original bytes", self.blobs, other.blobs),
            )
            if mine ^ theirs
        ]
        moved = sum(
            not _close(vector, other.chunks[key])
            for key, vector in self.chunks.items()
            if key in other.chunks
        )
        if moved:
            found.append(f"vectors: {moved} differ")
        if self.cached != other.cached:
            found.append(f"cached vectors: {self.cached} and {other.cached}")
        return found


def _close(one: Vector, other: Vector) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, atol=_CLOSE))


def state_of(engine: Engine, kb: KnowledgeBase) -> State:
    """Everything a knowledge base holds, stores included."""
    with engine.database.read() as connection:
        live = connection.execute(
            select(documents.c.id, documents.c.uri, versions.c.version).join(versions, LIVE_VERSION)
        ).all()
        texts = {row.uri: whole_text(connection, row.id, row.version) for row in live}
        uris = {row.id: row.uri for row in live}
        rows = connection.execute(
            select(chunks, embeddings.c.vector).join(
                embeddings, embeddings.c.text_hash == chunks.c.text_hash, isouter=True
            )
        ).all()
        paged = connection.execute(select(pages)).all()
        cached = connection.execute(select(embeddings.c.text_hash)).all()
    keys = {
        row.id: (uris.get(row.document_id, row.document_id), row.start, row.end, row.text_hash)
        for row in rows
    }
    nobody = ("", 0, 0, "")
    generation = kb.generation.id
    return State(
        texts=texts,
        pages=frozenset(
            (uris.get(row.document_id, ""), row.number, row.start, row.end) for row in paged
        ),
        chunks={keys[row.id]: to_vector(row.vector or b"") for row in rows},
        in_vectors=frozenset(
            keys.get(id_, nobody) for id_ in engine.stores.vectors(generation).ids()
        ),
        in_postings=frozenset(
            keys.get(id_, nobody) for id_ in engine.stores.lexical(generation).ids()
        ),
        cached=len(cached),
        blobs=frozenset(engine.blobs.digests()),
    )
