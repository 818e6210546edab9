"""Forgetting: documents and knowledge bases leave every table and store.

One transaction takes them out of the catalogue, so no reader finds them from then on; the
stores follow. Only the index writer calls this, so nothing is published meanwhile. Each
function returns the blobs that nobody refers to any more.
"""

from collections.abc import Sequence

import structlog
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_, select

from retrieval.database import Database
from retrieval.errors import DocumentNotFound, StoreUnavailable
from retrieval.ports import Stores
from retrieval.schema import (
    UNFINISHED,
    chunks,
    documents,
    embeddings,
    generations,
    jobs,
    knowledge_bases,
    versions,
)
from retrieval.staging import advance
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()

_SLICE = 500  # values in one IN (...)


def document(database: Database, stores: Stores, kb: KnowledgeBase, document_id: str) -> list[str]:
    """Forget one document. Raises DocumentNotFound."""
    mine = and_(documents.c.id == document_id, documents.c.kb_id == kb.id)
    with database.write() as connection:
        if connection.scalar(select(documents.c.id).where(mine)) is None:
            raise DocumentNotFound(document_id, kb.name)
        gone = list(
            connection.scalars(select(chunks.c.id).where(chunks.c.document_id == document_id))
        )
        unused = _forget(connection, kb, mine)
        advance(connection, kb)
    sweep(stores, kb.generation.id, gone)
    return unused


def knowledge_base(database: Database, stores: Stores, kb: KnowledgeBase) -> list[str]:
    """Forget a knowledge base with its documents and jobs."""
    with database.write() as connection:
        connection.execute(delete(jobs).where(jobs.c.kb_id == kb.id))
        unused = _forget(connection, kb, documents.c.kb_id == kb.id)
        connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id == kb.id))
    try:
        stores.drop(kb.generation.id)
    except StoreUnavailable as error:  # as in `sweep`: nobody can open these stores any more
        _log.warning("stale_stores_left", generation=kb.generation.id, error=str(error))
    return unused


def sweep(stores: Stores, generation: str, ids: Sequence[str]) -> None:
    """Take chunks that nobody sees any more out of the stores.

    The catalogue has decided already, so a store that fails here changes no answer and fails
    nobody; what it keeps is dropped whenever it is found.
    """
    try:
        stores.vectors(generation).delete(ids)
        stores.lexical(generation).delete(ids)
    except StoreUnavailable as error:
        _log.warning("stale_chunks_left", generation=generation, chunks=len(ids), error=str(error))


def _forget(connection: Connection, kb: KnowledgeBase, which: ColumnElement[bool]) -> list[str]:
    """Delete documents, and the cached vectors and blobs that only they used."""
    ids = select(documents.c.id).where(which)
    hashes = set(
        connection.scalars(select(chunks.c.text_hash).where(chunks.c.document_id.in_(ids)))
    )
    blobs = set(connection.scalars(select(versions.c.blob).where(versions.c.document_id.in_(ids))))
    connection.execute(delete(documents).where(which))
    _forget_vectors(connection, kb.generation.model.fingerprint, hashes)
    return [blob for blob in sorted(blobs) if not _blob_is_used(connection, blob)]


def _forget_vectors(connection: Connection, model: str, hashes: set[str]) -> None:
    still_used = exists(
        select(chunks.c.id)
        .join(generations, generations.c.id == chunks.c.generation_id)
        .where(
            chunks.c.text_hash == embeddings.c.text_hash,
            generations.c.model_fingerprint == model,
        )
    )
    ordered = sorted(hashes)
    for at in range(0, len(ordered), _SLICE):
        connection.execute(
            delete(embeddings).where(
                embeddings.c.model_fingerprint == model,
                embeddings.c.text_hash.in_(ordered[at : at + _SLICE]),
                ~still_used,
            )
        )


def _blob_is_used(connection: Connection, blob: str) -> bool:
    by_version = exists(select(versions.c.version).where(versions.c.blob == blob))
    by_job = exists(select(jobs.c.id).where(jobs.c.blob == blob, jobs.c.state.in_(UNFINISHED)))
    return bool(connection.scalar(select(or_(by_version, by_job))))
