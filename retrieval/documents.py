"""Documents and their versions, read from the catalogue."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, or_, select

from retrieval.database import Database
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.schema import (
    HAS_CHUNKS,
    LIVE_VERSION,
    chunks,
    documents,
    pages,
    vector_of_chunk,
    versions,
)
from retrieval.sql import lowered
from retrieval.stretches import whole_text
from retrieval.types import (
    Document,
    DocumentSummary,
    Heading,
    KnowledgeBase,
    Metadata,
    Page,
    VersionSummary,
    to_metadata,
)

_ORDERS: dict[str, ColumnElement[Any]] = {
    "uri": documents.c.uri,
    "title": lowered(versions.c.title),
    "updated_at": documents.c.updated_at,
    "created_at": documents.c.created_at,
    "size": versions.c.size,
}
SORTS = ", ".join(f"`{name}`" for name in _ORDERS)


def containing(text: str) -> ColumnElement[bool]:
    """The condition that a document's title, uri or name contains a text, in capitals or not."""
    columns = (versions.c.title, documents.c.uri, versions.c.name)
    return or_(*(lowered(one).contains(text.lower(), autoescape=True) for one in columns))


class Documents:
    """Reads documents and their versions; see `retrieval.staging` for what writes them."""

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
        sort: str = "uri",
    ) -> list[DocumentSummary]:
        """Documents with a live version, where a condition on both holds, in a fixed order.

        `sort` is what they are ordered by, with `-` before it from the last to the first. Raises
        InvalidRequest for an order that there isn't.
        """
        page_count = (
            select(func.count())
            .where(pages.c.document_id == documents.c.id, pages.c.version == versions.c.version)
            .scalar_subquery()
        )
        chunk_count = (
            select(func.count())
            .where(
                chunks.c.document_id == documents.c.id,
                chunks.c.version == versions.c.version,
                chunks.c.generation_id == kb.generation.id,
            )
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
                versions.c.characters,
                page_count.label("pages"),
                chunk_count.label("chunks"),
            )
            .join(versions, LIVE_VERSION)
            .where(documents.c.kb_id == kb.id)
            .order_by(*_order(sort))
            .limit(limit)
            .offset(offset)
        )
        if where is not None:
            query = query.where(where)
        with self._database.read() as connection:
            return [_to_summary(row) for row in connection.execute(query)]

    def count(self, kb: KnowledgeBase, where: ColumnElement[bool] | None = None) -> int:
        """How many documents have a live version, where a condition on both holds."""
        query = select(func.count()).select_from(documents.join(versions, LIVE_VERSION))
        query = query.where(documents.c.kb_id == kb.id)
        if where is not None:
            query = query.where(where)
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def versions(self, kb: KnowledgeBase, document_id: str) -> Sequence[VersionSummary]:
        """The versions of a document that are or were live, the newest first.

        Raises DocumentNotFound.
        """
        live = versions.c.version == documents.c.live_version
        query = (
            select(
                versions.c.version,
                live.label("live"),
                versions.c.title,
                versions.c.name,
                versions.c.media_type,
                versions.c.size,
                versions.c.characters,
                versions.c.warnings,
                versions.c.created_at,
            )
            .join(documents, documents.c.id == versions.c.document_id)
            .where(documents.c.kb_id == kb.id, documents.c.id == document_id)
            .where(documents.c.live_version.is_not(None), live | ~HAS_CHUNKS)
            .order_by(versions.c.created_at.desc(), versions.c.version)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        if not rows:
            raise DocumentNotFound(document_id, kb.name)
        return [replace(VersionSummary(*row), warnings=tuple(row.warnings)) for row in rows]

    def get(self, kb: KnowledgeBase, document_id: str, version: str | None = None) -> Document:
        """A version of a document, the live one unless told otherwise. Raises DocumentNotFound."""
        query = _version(kb, document_id, version).add_columns(
            documents.c.uri, documents.c.metadata, versions
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
            if row is None:
                raise DocumentNotFound(document_id, kb.name, version)
            text = whole_text(connection, document_id, row.version)
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
            text=text,
            pages=tuple(Page(p.number, p.start, p.end, p.label) for p in page_rows),
            headings=tuple(Heading(*heading) for heading in row.headings),
            metadata=to_metadata(row.metadata),
        )

    def original(
        self, kb: KnowledgeBase, document_id: str, version: str | None = None
    ) -> tuple[str, str, str]:
        """The blob, file name and media type of a version's bytes. Raises DocumentNotFound."""
        query = _version(kb, document_id, version).add_columns(
            versions.c.blob, versions.c.name, versions.c.media_type
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise DocumentNotFound(document_id, kb.name, version)
        return row.blob, row.name, row.media_type

    def is_whole(self, kb: KnowledgeBase, document_id: str) -> bool:
        """Whether the vector of each chunk of a document's live version is known."""
        known = exists().where(vector_of_chunk(kb.generation.model.fingerprint))
        lacking = (
            select(chunks.c.id)
            .where(
                chunks.c.document_id == document_id,
                chunks.c.generation_id == kb.generation.id,
                ~known,
            )
            .limit(1)
        )
        with self._database.glance() as connection:
            return connection.scalar(lacking) is None

    def live_blob(self, kb: KnowledgeBase, document_id: str) -> str | None:
        """The blob of a document's live version, if it has one."""
        query = (
            select(versions.c.blob)
            .join(documents, LIVE_VERSION)
            .where(documents.c.kb_id == kb.id, documents.c.id == document_id)
        )
        with self._database.read() as connection:
            return connection.scalar(query)

    def live_with_blob(self, kb: KnowledgeBase, blob: str) -> str | None:
        """The id of a document whose live version has these bytes, if there is one."""
        return self.live_with_blobs(kb, [blob]).get(blob)

    def live_with_blobs(self, kb: KnowledgeBase, blobs: Collection[str]) -> dict[str, str]:
        """The ids of documents whose live versions have these bytes, by those; of several that
        have the same, the oldest.
        """
        query = (
            select(versions.c.blob, documents.c.id)
            .join(versions, LIVE_VERSION)
            .where(documents.c.kb_id == kb.id, versions.c.blob.in_(blobs))
            .order_by(documents.c.created_at.desc(), documents.c.id.desc())
        )
        with self._database.glance() as connection:
            return {row.blob: row.id for row in connection.execute(query)}

    def live_version(self, kb: KnowledgeBase, document_id: str) -> str | None:
        """The version that searches see, if there is one."""
        return self.live_versions(kb, [document_id]).get(document_id)

    def live_versions(self, kb: KnowledgeBase, document_ids: Collection[str]) -> dict[str, str]:
        """The versions that searches see, by the ids of those documents that have one."""
        query = select(documents.c.id, documents.c.live_version).where(
            documents.c.kb_id == kb.id,
            documents.c.id.in_(document_ids),
            documents.c.live_version.is_not(None),
        )
        with self._database.glance() as connection:
            return {row.id: row.live_version for row in connection.execute(query)}

    def named(self, kb: KnowledgeBase, name: str) -> str:
        """The id of the live document with this id or uri. Raises DocumentNotFound."""
        query = (
            select(documents.c.id)
            .where(
                documents.c.kb_id == kb.id,
                documents.c.live_version.is_not(None),
                or_(documents.c.id == name, documents.c.uri == name),
            )
            .order_by(documents.c.id != name)
        )
        with self._database.read() as connection:
            found: str | None = connection.scalar(query)
        if found is None:
            raise DocumentNotFound(name, kb.name)
        return found

    def metadata(self, kb: KnowledgeBase, document_id: str) -> Metadata:
        """The metadata of a document; empty if there is no such document."""
        query = select(documents.c.metadata).where(
            documents.c.kb_id == kb.id, documents.c.id == document_id
        )
        with self._database.glance() as connection:
            return to_metadata(connection.scalar(query) or {})


def _order(sort: str) -> tuple[ColumnElement[Any], ColumnElement[str]]:
    """What to order by; documents that are equal in that keep one order from page to page."""
    column = _ORDERS.get(sort.removeprefix("-"))
    if column is None:
        raise InvalidRequest(f"sort is {sort!r}; it is one of {SORTS}, after a `-` or alone.")
    return (column.desc() if sort.startswith("-") else column), documents.c.id


def _version(kb: KnowledgeBase, document_id: str, version: str | None) -> Select[*tuple[Any, ...]]:
    """One version of a document, the live one unless told otherwise; columns are to be added."""
    wanted = documents.c.live_version if version is None else version
    return (
        select()
        .select_from(documents.join(versions, versions.c.document_id == documents.c.id))
        .where(
            documents.c.kb_id == kb.id,
            documents.c.id == document_id,
            versions.c.version == wanted,
        )
    )


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
        metadata=to_metadata(row.metadata),
        warnings=tuple(row.warnings),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
