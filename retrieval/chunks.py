"""The live chunks of a knowledge base: what a search may return, and their exact vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import ColumnElement, Select, bindparam, func, select

from retrieval.database import Database
from retrieval.embedding.cache import to_vector
from retrieval.schema import (
    LIVE_CHUNK,
    chunks,
    documents,
    embeddings,
    pages,
    vector_of_chunk,
    versions,
)
from retrieval.stretches import TEXT_OF_CHUNK
from retrieval.types import Chunk, KnowledgeBase, Vectors

_SLICE = 500  # values in one IN (...)
_BLOCK = 4_096  # rows that are fetched at a time


@dataclass(frozen=True, slots=True)
class Passage:
    """A live chunk with its text and where it comes from."""

    chunk: Chunk
    uri: str
    title: str
    text: str
    page: str | None


# Made once: to put it together would take longer than to run it.
_PASSAGES = (
    select(
        chunks,
        documents.c.uri,
        versions.c.title,
        TEXT_OF_CHUNK.label("text"),
        pages.c.label.label("page"),
    )
    .join(documents, LIVE_CHUNK)
    .join(
        versions,
        (versions.c.document_id == chunks.c.document_id) & (versions.c.version == chunks.c.version),
    )
    .outerjoin(
        pages,
        (pages.c.document_id == chunks.c.document_id)
        & (pages.c.version == chunks.c.version)
        & (pages.c.start <= chunks.c.start)
        & (pages.c.end > chunks.c.start),
    )
    .where(
        documents.c.kb_id == bindparam("kb"),
        chunks.c.generation_id == bindparam("generation"),
        chunks.c.id.in_(bindparam("ids", expanding=True)),
    )
)


class Chunks:
    """Reads chunks whose version is live; any other id is as if it didn't exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, kb: KnowledgeBase, where: ColumnElement[bool]) -> int:
        """How many live chunks belong to the documents of a condition."""
        query = select(func.count()).select_from(chunks.join(documents, LIVE_CHUNK))
        with self._database.read() as connection:
            return connection.scalar(query.where(_of(kb), where)) or 0

    def document_ids(self, kb: KnowledgeBase, where: ColumnElement[bool]) -> list[str]:
        """The live documents of a condition."""
        query = select(documents.c.id).where(
            documents.c.kb_id == kb.id, documents.c.live_version.is_not(None), where
        )
        with self._database.read() as connection:
            return [*connection.scalars(query).all()]

    def vectors(self, kb: KnowledgeBase, ids: Sequence[str]) -> tuple[list[str], Vectors]:
        """Those of the ids that are live, and their vectors `(n, d)` in the same order."""
        found: list[str] = []
        rows: list[bytes] = []
        with self._database.read() as connection:
            for part in _slices(ids):
                for key, blob in connection.execute(_vectors(kb).where(chunks.c.id.in_(part))):
                    found.append(key)
                    rows.append(blob)
        return found, _matrix(rows, kb)

    def owners(self, kb: KnowledgeBase, ids: Sequence[str]) -> dict[str, str]:
        """The document of each of the ids that is live."""
        query = select(chunks.c.id, chunks.c.document_id).join(documents, LIVE_CHUNK)
        found: dict[str, str] = {}
        with self._database.read() as connection:
            for part in _slices(ids):
                rows = connection.execute(query.where(_of(kb), chunks.c.id.in_(part)))
                found.update((row.id, row.document_id) for row in rows)
        return found

    def scan(
        self, kb: KnowledgeBase, where: ColumnElement[bool]
    ) -> Iterator[tuple[list[str], Vectors]]:
        """All live chunks of the documents of a condition with their vectors, block by block."""
        query = _vectors(kb).where(where).execution_options(yield_per=_BLOCK)
        with self._database.read() as connection:
            for block in connection.execute(query).partitions():
                yield [row.id for row in block], _matrix([row.vector for row in block], kb)

    def sample(self, kb: KnowledgeBase, count: int) -> list[str]:
        """At most `count` live chunks, no two of one text: of the same texts always the same, in
        whichever knowledge base and catalogue they are, for the texts' hashes choose.
        """
        query = select(func.min(chunks.c.id)).join(documents, LIVE_CHUNK).where(_of(kb))
        query = query.group_by(chunks.c.text_hash).order_by(chunks.c.text_hash).limit(count)
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def around(self, kb: KnowledgeBase, chunk: Chunk, reach: int) -> set[str]:
        """A chunk, and as many before and after it in its document."""
        query = select(chunks.c.id).where(
            chunks.c.generation_id == kb.generation.id,
            chunks.c.document_id == chunk.document_id,
            chunks.c.version == chunk.version,
            chunks.c.ordinal.between(chunk.ordinal - reach, chunk.ordinal + reach),
        )
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def passages(self, kb: KnowledgeBase, ids: Sequence[str]) -> dict[str, Passage]:
        """Text and origin of those of the ids that are live."""
        found: dict[str, Passage] = {}
        own = {"kb": kb.id, "generation": kb.generation.id}
        with self._database.read() as connection:
            for part in _slices(ids):
                for row in connection.execute(_PASSAGES, own | {"ids": part}).all():
                    chunk = Chunk(
                        id=row.id,
                        document_id=row.document_id,
                        version=row.version,
                        ordinal=row.ordinal,
                        start=row.start,
                        end=row.end,
                        heading=tuple(row.heading),
                        context=row.context,
                        tokens=row.tokens,
                    )
                    found[row.id] = Passage(chunk, row.uri, row.title, row.text, row.page)
        return found


def _of(kb: KnowledgeBase) -> ColumnElement[bool]:
    """The chunks of its documents in its generation."""
    return (documents.c.kb_id == kb.id) & (chunks.c.generation_id == kb.generation.id)


def _vectors(kb: KnowledgeBase) -> Select[str, bytes]:
    return (
        select(chunks.c.id, embeddings.c.vector)
        .join(documents, LIVE_CHUNK)
        .join(embeddings, vector_of_chunk(kb.generation.model.fingerprint))
        .where(_of(kb))
    )


def _slices(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + _SLICE] for at in range(0, len(ids), _SLICE))


def _matrix(rows: Sequence[bytes], kb: KnowledgeBase) -> Vectors:
    if not rows:
        return np.zeros((0, kb.generation.model.dimension), dtype=np.float32)
    return np.stack([to_vector(row) for row in rows])
