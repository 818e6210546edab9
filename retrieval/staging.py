"""What writes documents: a version is staged where nobody sees it, then made live at once.

Each function takes the transaction of its caller, the index writer, for which others wait that
write: so it is a few statements for all documents of a round, not for each.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam, delete, select, tuple_, update

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
    stretches,
    versions,
)
from retrieval.stretches import stretch_rows
from retrieval.types import Chunk, Document, KnowledgeBase, Metadata, Vector, Vectors


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


def stage(connection: Connection, prepared: Sequence[PreparedDocument]) -> None:
    """Write versions that nobody sees yet, of as many documents; what an interrupted attempt left
    is replaced.

    Raises KnowledgeBaseNotFound, and Superseded where model or chunking were changed meanwhile.
    """
    _check_generations(connection, prepared)
    now, keys = time.time(), [_key(one) for one in prepared]
    mine = documents.c.id.in_([one.document.id for one in prepared])
    known = {*connection.scalars(select(documents.c.id).where(mine))}
    new = [one for one in prepared if one.document.id not in known]
    _insert(connection, documents, (_document_row(one, now) for one in new))
    connection.execute(
        delete(versions).where(tuple_(versions.c.document_id, versions.c.version).in_(keys))
    )
    _insert(connection, versions, (_version_row(one, now) for one in prepared))
    texts = ((*_key(one), one.document.text) for one in prepared)
    _insert(connection, stretches, (row for text in texts for row in stretch_rows(*text)))
    _insert(connection, pages, (row for one in prepared for row in _page_rows(one)))
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
    _stage_chunks(connection, [prepared])
    return True


def _stage_chunks(connection: Connection, prepared: Sequence[PreparedChunks]) -> None:
    _insert(connection, chunks, (row for one in prepared for row in _chunk_rows(one)))
    vectors: defaultdict[str, dict[str, Vector]] = defaultdict(dict)
    for one in prepared:
        model = one.kb.generation.model.fingerprint
        vectors[model].update(zip(one.hashes, one.vectors, strict=True))
    for model, by_hash in vectors.items():
        keep_vectors(connection, model, by_hash)


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


def make_live(
    connection: Connection, prepared: Sequence[PreparedDocument]
) -> list[tuple[str, str]]:
    """Switch readers to these versions, of as many documents; the generations and ids of chunks
    that are now nobody's.

    Raises Superseded where readers have been switched to another generation meanwhile.
    """
    _check_generations(connection, prepared)
    stale = and_(
        chunks.c.document_id.in_([one.document.id for one in prepared]),
        tuple_(chunks.c.document_id, chunks.c.version).not_in([_key(one) for one in prepared]),
    )
    replaced = connection.execute(
        select(
            chunks.c.id, chunks.c.text_hash, chunks.c.generation_id, generations.c.model_fingerprint
        )
        .join(generations, generations.c.id == chunks.c.generation_id)
        .where(stale)
    ).all()
    if replaced:
        connection.execute(delete(chunks).where(stale))
    for model in {row.model_fingerprint for row in replaced}:
        hashes = [row.text_hash for row in replaced if row.model_fingerprint == model]
        forget_vectors(connection, model, hashes)
    connection.execute(
        update(documents)
        .where(documents.c.id == bindparam("document"))
        .values(live_version=bindparam("live"), updated_at=time.time()),
        [{"document": one.document.id, "live": one.document.version} for one in prepared],
    )
    set_metadata(connection, {one.document.id: one.document.metadata for one in prepared})
    for kb in {one.kb.id: one.kb for one in prepared}.values():
        advance(connection, kb)
    return [(row.generation_id, row.id) for row in replaced]


def set_metadata(connection: Connection, of: Mapping[str, Metadata]) -> None:
    """Replace the metadata of documents, by their ids."""
    connection.execute(
        update(documents)
        .where(documents.c.id == bindparam("document"))
        .values(metadata=bindparam("now")),
        [{"document": id_, "now": _from_metadata(metadata)} for id_, metadata in of.items()],
    )
    connection.execute(delete(document_metadata).where(document_metadata.c.document_id.in_([*of])))
    rows = (
        row
        for id_, metadata in of.items()
        for key, value in metadata.items()
        for row in filters.metadata_rows(id_, key, value)
    )
    _insert(connection, document_metadata, rows)


def advance(connection: Connection, kb: KnowledgeBase) -> None:
    """Mark that the set of live versions has changed."""
    connection.execute(
        update(knowledge_bases)
        .where(knowledge_bases.c.id == kb.id)
        .values(epoch=knowledge_bases.c.epoch + 1)
    )


def _check_generations(connection: Connection, prepared: Iterable[PreparedChunks]) -> None:
    """Raises KnowledgeBaseNotFound, Superseded."""
    kbs = {(one.kb.id, one.kb.generation): one.kb for one in prepared}.values()
    query = select(knowledge_bases.c.id, generations.c.id, generations.c.chunker).join(
        knowledge_bases, knowledge_bases.c.generation_id == generations.c.id
    )
    rows = connection.execute(query.where(knowledge_bases.c.id.in_([kb.id for kb in kbs])))
    live = {kb_id: (generation, chunker) for kb_id, generation, chunker in rows}
    for kb in kbs:
        if kb.id not in live:
            raise KnowledgeBaseNotFound(kb.name)
        if live[kb.id] != (kb.generation.id, kb.generation.chunker):
            raise Superseded(
                f"The model or the chunking of {kb.name!r} was changed while a document was cut: "
                f"send it again."
            )


def _key(prepared: PreparedDocument) -> tuple[str, str]:
    return prepared.document.id, prepared.document.version


def _insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    if written := [*rows]:
        connection.execute(table.insert(), written)


def _document_row(prepared: PreparedDocument, now: float) -> dict[str, Any]:
    document = prepared.document
    return {
        "id": document.id,
        "kb_id": prepared.kb.id,
        "uri": document.uri,
        "live_version": None,
        "metadata": _from_metadata(document.metadata),
        "created_at": now,
        "updated_at": now,
    }


def _version_row(prepared: PreparedDocument, now: float) -> dict[str, Any]:
    document = prepared.document
    return {
        "document_id": document.id,
        "version": document.version,
        "blob": prepared.blob,
        "size": len(prepared.data),
        "name": prepared.name,
        "title": document.title,
        "media_type": document.media_type,
        "characters": len(document.text),
        "headings": [[h.start, h.end, h.level] for h in document.headings],
        "properties": dict(prepared.properties),
        "warnings": list(prepared.warnings),
        "created_at": now,
    }


def _page_rows(prepared: PreparedDocument) -> Iterator[dict[str, Any]]:
    document_id, version = _key(prepared)
    for page in prepared.document.pages:
        yield {"document_id": document_id, "version": version, **asdict(page)}


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
