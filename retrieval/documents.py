"""Documents and their versions in the catalogue: staged aside, then made live at once."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, func, select, update

from retrieval import filters
from retrieval.database import Database
from retrieval.embedding.cache import keep_vectors
from retrieval.errors import DocumentNotFound
from retrieval.schema import (
    chunks,
    document_metadata,
    documents,
    knowledge_bases,
    pages,
    versions,
)
from retrieval.types import (
    Chunk,
    Document,
    DocumentSummary,
    Heading,
    KnowledgeBase,
    Metadata,
    MetadataValue,
    Page,
    Vectors,
)


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """A version with all that is needed to publish it.

    `texts` are what was embedded and will be indexed for each chunk, `hashes` their keys in
    the embedding cache, `vectors` their embeddings, `(len(chunks), d)`.
    """

    kb: KnowledgeBase
    document: Document
    name: str
    blob: str
    size: int
    properties: Mapping[str, str]
    warnings: tuple[str, ...]
    chunks: tuple[Chunk, ...]
    texts: tuple[str, ...]
    hashes: tuple[str, ...]
    vectors: Vectors


_LIVE = (versions.c.document_id == documents.c.id) & (
    versions.c.version == documents.c.live_version
)


class Documents:
    """Reads documents. What writes takes the transaction of its caller, see the functions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self, kb: KnowledgeBase, document_id: str) -> DocumentSummary:
        """The live version of one document. Raises DocumentNotFound."""
        found = self.list(kb, limit=1, where=documents.c.id == document_id)
        if not found:
            raise DocumentNotFound(document_id, kb.name)
        return found[0]

    def list(
        self,
        kb: KnowledgeBase,
        limit: int,
        offset: int = 0,
        where: ColumnElement[bool] | None = None,
    ) -> list[DocumentSummary]:
        """Documents with a live version, by uri."""
        page_count = (
            select(func.count())
            .where(pages.c.document_id == documents.c.id, pages.c.version == versions.c.version)
            .scalar_subquery()
        )
        chunk_count = (
            select(func.count())
            .where(chunks.c.document_id == documents.c.id, chunks.c.version == versions.c.version)
            .scalar_subquery()
        )
        query = (
            select(
                documents.c.id,
                documents.c.uri,
                documents.c.metadata,
                documents.c.created_at,
                documents.c.updated_at,
                versions.c.version,
                versions.c.title,
                versions.c.name,
                versions.c.media_type,
                versions.c.size,
                versions.c.warnings,
                func.length(versions.c.text).label("characters"),
                page_count.label("pages"),
                chunk_count.label("chunks"),
            )
            .join(versions, _LIVE)
            .where(documents.c.kb_id == kb.id)
            .order_by(documents.c.uri)
            .limit(limit)
            .offset(offset)
        )
        if where is not None:
            query = query.where(where)
        with self._database.read() as connection:
            return [_to_summary(row) for row in connection.execute(query)]

    def count(self, kb: KnowledgeBase, where: ColumnElement[bool] | None = None) -> int:
        """How many documents have a live version."""
        query = select(func.count()).select_from(documents)
        query = query.where(documents.c.kb_id == kb.id, documents.c.live_version.is_not(None))
        if where is not None:
            query = query.where(where)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def get(self, kb: KnowledgeBase, document_id: str, version: str | None = None) -> Document:
        """A version of a document, the live one unless told otherwise. Raises DocumentNotFound."""
        wanted = documents.c.live_version if version is None else version
        query = (
            select(documents.c.uri, documents.c.metadata, versions)
            .join(versions, versions.c.document_id == documents.c.id)
            .where(
                documents.c.kb_id == kb.id,
                documents.c.id == document_id,
                versions.c.version == wanted,
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise DocumentNotFound(document_id, kb.name, version)
            page_rows = connection.execute(
                select(pages)
                .where(pages.c.document_id == document_id, pages.c.version == row.version)
                .order_by(pages.c.number)
            ).all()
        return Document(
            id=document_id,
            uri=row.uri,
            version=row.version,
            title=row.title,
            media_type=row.media_type,
            text=row.text,
            pages=tuple(Page(p.number, p.start, p.end, p.label) for p in page_rows),
            headings=tuple(Heading(*heading) for heading in row.headings),
            metadata=_to_metadata(row.metadata),
        )

    def original(
        self, kb: KnowledgeBase, document_id: str, version: str | None = None
    ) -> tuple[str, str, str]:
        """The blob, file name and media type of a version's bytes. Raises DocumentNotFound."""
        wanted = documents.c.live_version if version is None else version
        query = (
            select(versions.c.blob, versions.c.name, versions.c.media_type)
            .join(documents, documents.c.id == versions.c.document_id)
            .where(
                documents.c.kb_id == kb.id,
                documents.c.id == document_id,
                versions.c.version == wanted,
            )
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise DocumentNotFound(document_id, kb.name, version)
        return row.blob, row.name, row.media_type

    def live_with_blob(self, kb: KnowledgeBase, blob: str) -> str | None:
        """The id of a document whose live version has these bytes, if there is one."""
        query = (
            select(documents.c.id)
            .join(versions, _LIVE)
            .where(documents.c.kb_id == kb.id, versions.c.blob == blob)
            .order_by(documents.c.created_at, documents.c.id)
            .limit(1)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def live_version(self, kb: KnowledgeBase, document_id: str) -> str | None:
        """The version that searches see, if there is one."""
        query = select(documents.c.live_version).where(
            documents.c.kb_id == kb.id, documents.c.id == document_id
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def metadata(self, kb: KnowledgeBase, document_id: str) -> Metadata:
        """The metadata of a document; empty if there is no such document."""
        query = select(documents.c.metadata).where(
            documents.c.kb_id == kb.id, documents.c.id == document_id
        )
        with self._database.read() as connection:
            return _to_metadata(connection.scalar(query) or {})


def stage(connection: Connection, prepared: PreparedDocument) -> None:
    """Write a version that nobody sees yet; what an interrupted attempt left is replaced."""
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
            size=prepared.size,
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
    if prepared.chunks:
        connection.execute(chunks.insert(), _chunk_rows(prepared))
        vectors = dict(zip(prepared.hashes, prepared.vectors, strict=True))
        keep_vectors(connection, prepared.kb.generation.model.fingerprint, vectors)


def make_live(connection: Connection, prepared: PreparedDocument) -> list[str]:
    """Switch readers to this version; the ids of the chunks that are now nobody's."""
    document = prepared.document
    stale = (chunks.c.document_id == document.id) & (chunks.c.version != document.version)
    replaced = list(connection.scalars(select(chunks.c.id).where(stale)))
    connection.execute(delete(chunks).where(stale))
    connection.execute(
        update(documents)
        .where(documents.c.id == document.id)
        .values(live_version=document.version, updated_at=time.time())
    )
    set_metadata(connection, document.id, document.metadata)
    advance(connection, prepared.kb)
    return replaced


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


def _chunk_rows(prepared: PreparedDocument) -> Sequence[dict[str, Any]]:
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
            "tokens": chunk.tokens,
            "text_hash": key,
        }
        for chunk, key in zip(prepared.chunks, prepared.hashes, strict=True)
    ]


def _from_metadata(metadata: Metadata) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in metadata.items()}


def _to_metadata(stored: Mapping[str, Any]) -> dict[str, MetadataValue]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in stored.items()}


def _to_summary(row: Row[*tuple[Any, ...]]) -> DocumentSummary:
    return DocumentSummary(
        id=row.id,
        uri=row.uri,
        version=row.version,
        title=row.title,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        characters=row.characters,
        pages=row.pages,
        chunks=row.chunks,
        metadata=_to_metadata(row.metadata),
        warnings=tuple(row.warnings),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
