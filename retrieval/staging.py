"""What writes documents: a version is staged where nobody sees it, then made live at once.

Each function takes the transaction of its caller, the index writer.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update

from retrieval import filters
from retrieval.embedding.cache import forget_vectors, keep_vectors
from retrieval.errors import KnowledgeBaseNotFound, Superseded
from retrieval.schema import (
    chunks,
    document_metadata,
    documents,
    generations,
    knowledge_bases,
    pages,
    versions,
)
from retrieval.types import Chunk, Document, KnowledgeBase, Metadata, Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedChunks:
    """A version's chunks in a generation of its knowledge base.

    `texts` are what was embedded and will be indexed for each chunk, `hashes` their keys in the
    embedding cache, `vectors` their embeddings, `(len(chunks), d)`.
    """

    kb: KnowledgeBase
    document: Document
    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    hashes: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDocument(PreparedChunks):
    """A version with all that is needed to publish it; `blob` is the SHA-256 of `data`."""

    name: str
    data: bytes
    blob: str
    properties: Mapping[str, str]
    warnings: tuple[str, ...]


def stage(connection: Connection, prepared: PreparedDocument) -> None:
    """Write a version that nobody sees yet; what an interrupted attempt left is replaced.

    Raises KnowledgeBaseNotFound, and Superseded where model or chunking were changed meanwhile.
    """
    _check_generation(connection, prepared.kb)
    document, now = prepared.document, time.time()
    known = connection.scalar(select(documents.c.id).where(documents.c.id == document.id))
    if known is None:
        connection.execute(
            documents.insert().values(
                id=document.id,
                kb_id=prepared.kb.id,
                uri=document.uri,
                live_version=None,
                metadata=_from_metadata(document.metadata),
                created_at=now,
                updated_at=now,
            )
        )
    key = {"document_id": document.id, "version": document.version}
    connection.execute(
        delete(versions).where(
            versions.c.document_id == document.id, versions.c.version == document.version
        )
    )
    connection.execute(
        versions.insert().values(
            **key,
            blob=prepared.blob,
            size=len(prepared.data),
            name=prepared.name,
            title=document.title,
            media_type=document.media_type,
            text=document.text,
            headings=[[h.start, h.end, h.level] for h in document.headings],
            properties=dict(prepared.properties),
            warnings=list(prepared.warnings),
            created_at=now,
        )
    )
    if document.pages:
        connection.execute(pages.insert(), [key | asdict(page) for page in document.pages])
    _stage_chunks(connection, prepared)


def stage_generation(connection: Connection, prepared: PreparedChunks) -> bool:
    """Write the chunks of a live version in a generation that isn't; whether it is still live."""
    document = prepared.document
    mine = documents.c.id == document.id
    if connection.scalar(select(documents.c.live_version).where(mine)) != document.version:
        return False
    connection.execute(
        delete(chunks).where(
            chunks.c.document_id == document.id,
            chunks.c.generation_id == prepared.kb.generation.id,
        )
    )
    _stage_chunks(connection, prepared)
    return True


def _stage_chunks(connection: Connection, prepared: PreparedChunks) -> None:
    if prepared.chunks:
        connection.execute(chunks.insert(), _chunk_rows(prepared))
        vectors = dict(zip(prepared.hashes, prepared.vectors, strict=True))
        keep_vectors(connection, prepared.kb.generation.model.fingerprint, vectors)


def unstage(connection: Connection, prepared: PreparedDocument) -> None:
    """Take a staged version back, unless it has become live; its vectors stay in the cache."""
    document = prepared.document
    live = connection.scalar(select(documents.c.live_version).where(documents.c.id == document.id))
    if live is None:
        connection.execute(delete(documents).where(documents.c.id == document.id))
    elif live != document.version:
        connection.execute(
            delete(versions).where(
                versions.c.document_id == document.id, versions.c.version == document.version
            )
        )


def make_live(connection: Connection, prepared: PreparedDocument) -> list[tuple[str, str]]:
    """Switch readers to this version; the generations and ids of chunks that are now nobody's.

    Raises Superseded where readers have been switched to another generation meanwhile.
    """
    _check_generation(connection, prepared.kb)
    document = prepared.document
    stale = (chunks.c.document_id == document.id) & (chunks.c.version != document.version)
    replaced = connection.execute(
        select(
            chunks.c.id, chunks.c.text_hash, chunks.c.generation_id, generations.c.model_fingerprint
        )
        .join(generations, generations.c.id == chunks.c.generation_id)
        .where(stale)
    ).all()
    connection.execute(delete(chunks).where(stale))
    for model in {row.model_fingerprint for row in replaced}:
        hashes = [row.text_hash for row in replaced if row.model_fingerprint == model]
        forget_vectors(connection, model, hashes)
    connection.execute(
        update(documents)
        .where(documents.c.id == document.id)
        .values(live_version=document.version, updated_at=time.time())
    )
    set_metadata(connection, document.id, document.metadata)
    advance(connection, prepared.kb)
    return [(row.generation_id, row.id) for row in replaced]


def set_metadata(connection: Connection, document_id: str, metadata: Metadata) -> None:
    """Replace the metadata of a document."""
    connection.execute(
        update(documents)
        .where(documents.c.id == document_id)
        .values(metadata=_from_metadata(metadata))
    )
    connection.execute(
        delete(document_metadata).where(document_metadata.c.document_id == document_id)
    )
    rows = [
        row
        for key, value in metadata.items()
        for row in filters.metadata_rows(document_id, key, value)
    ]
    if rows:
        connection.execute(document_metadata.insert(), rows)


def advance(connection: Connection, kb: KnowledgeBase) -> None:
    """Mark that the set of live versions has changed."""
    connection.execute(
        update(knowledge_bases)
        .where(knowledge_bases.c.id == kb.id)
        .values(epoch=knowledge_bases.c.epoch + 1)
    )


def _check_generation(connection: Connection, kb: KnowledgeBase) -> None:
    query = select(generations.c.id, generations.c.chunker).join(
        knowledge_bases, knowledge_bases.c.generation_id == generations.c.id
    )
    live = connection.execute(query.where(knowledge_bases.c.id == kb.id)).first()
    if live is None:
        raise KnowledgeBaseNotFound(kb.name)
    if (live.id, live.chunker) != (kb.generation.id, kb.generation.chunker):
        raise Superseded(
            f"The model or the chunking of {kb.name!r} was changed while a document was cut: "
            f"send it again."
        )


def _chunk_rows(prepared: PreparedChunks) -> Sequence[dict[str, Any]]:
    return [
        {
            "id": chunk.id,
            "generation_id": prepared.kb.generation.id,
            "document_id": chunk.document_id,
            "version": chunk.version,
            "ordinal": chunk.ordinal,
            "start": chunk.start,
            "end": chunk.end,
            "heading": list(chunk.heading),
            "context": chunk.context,
            "tokens": chunk.tokens,
            "text_hash": key,
        }
        for chunk, key in zip(prepared.chunks, prepared.hashes, strict=True)
    ]


def _from_metadata(metadata: Metadata) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in metadata.items()}
