"""Forgetting: documents and knowledge bases leave every table and store.

One transaction takes them out of the catalogue, so no reader finds them from then on; the
stores follow, with `sweep`. Only the index writer calls this, so nothing is published meanwhile. A
function that returns blobs returns those that may now be unused, for `release`, which needs no
writer.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

import structlog
from sqlalchemy import ColumnElement, Connection, and_, delete, exists, select, union

from retrieval.answer_log import forget_answers
from retrieval.database import Database
from retrieval.embedding.cache import forget_vectors
from retrieval.errors import DocumentNotFound, NotFound, StillHeld, StoreUnavailable
from retrieval.ports import Blobs, Stores
from retrieval.schema import (
    UNFINISHED,
    chunks,
    documents,
    generations,
    jobs,
    knowledge_bases,
    versions,
)
from retrieval.side_by_side import AT_ONCE, side_by_side
from retrieval.staging import advance
from retrieval.types import KnowledgeBase

_log = structlog.get_logger()

_SLICE = 500  # values in one IN (...)
_PATIENCE = 5  # seconds for a digest: who comes after us waits for us, and for what we wait for

StaleChunk = tuple[str, str]
"""A generation, and the id of a chunk that its stores still hold."""


def document(
    database: Database, kb: KnowledgeBase, document_id: str
) -> tuple[Sequence[StaleChunk], Sequence[str]]:
    """Forget one document: what is to be swept, and its blobs. Raises DocumentNotFound."""
    mine = and_(documents.c.id == document_id, documents.c.kb_id == kb.id)
    with database.write() as connection:
        if connection.scalar(select(documents.c.id).where(mine)) is None:
            raise DocumentNotFound(document_id, kb.name)
        gone = connection.execute(
            select(chunks.c.generation_id, chunks.c.id).where(chunks.c.document_id == document_id)
        ).all()
        blobs = _forget(connection, mine)
        over = jobs.c.state.not_in(UNFINISHED)
        connection.execute(
            delete(jobs).where(jobs.c.kb_id == kb.id, jobs.c.document_id == document_id, over)
        )
        advance(connection, kb)
    return [(row.generation_id, row.id) for row in gone], blobs


def knowledge_base(database: Database, stores: Stores, kb: KnowledgeBase) -> Sequence[str]:
    """Forget a knowledge base with its documents and jobs."""
    with database.write() as connection:
        sent = connection.scalars(select(jobs.c.blob).where(jobs.c.kb_id == kb.id)).all()
        connection.execute(delete(jobs).where(jobs.c.kb_id == kb.id))
        blobs = _forget(connection, documents.c.kb_id == kb.id)
        mine = select(generations.c.id).where(generations.c.kb_id == kb.id)
        made = connection.scalars(mine).all()
        connection.execute(delete(knowledge_bases).where(knowledge_bases.c.id == kb.id))
    for generation_id in made:
        _drop(stores, generation_id)
    return [*blobs, *sent]


def generation(database: Database, stores: Stores, kb: KnowledgeBase) -> None:
    """Forget the generation of this knowledge base, unless it is the live one."""
    with database.write() as connection:
        live = exists().where(knowledge_bases.c.generation_id == generations.c.id)
        mine = generations.c.id == kb.generation.id
        if connection.scalar(select(generations.c.id).where(mine, ~live)) is None:
            return
        hashes = connection.scalars(
            select(chunks.c.text_hash).where(chunks.c.generation_id == kb.generation.id)
        ).all()
        connection.execute(delete(generations).where(mine))
        forget_vectors(connection, kb.generation.model.fingerprint, hashes)
    _drop(stores, kb.generation.id)


def sweep(held: Database, stores: Stores, stale: Iterable[StaleChunk]) -> None:
    """Take chunks that nobody sees any more out of the stores: generations and ids. Those that
    another process has published again stay, and all do once their knowledge base isn't held.

    The catalogue has decided already, so a store that fails here changes no answer and fails
    nobody; what it keeps is dropped whenever it is found, and swept at the next start.
    """
    by_generation: defaultdict[str, list[str]] = defaultdict(list)
    for name, id_ in stale:
        by_generation[name].append(id_)
    for name, ids in by_generation.items():
        try:
            gone = _gone(held, ids)
            held.still_held()
            stores.vectors(name).delete(gone)
            held.still_held()
            stores.lexical(name).delete(gone)
        except NotFound:
            continue  # the stores went with their generation
        except StoreUnavailable as error:
            stores.doubt()
            _log.warning("stale_chunks_left", generation=name, chunks=len(ids), error=str(error))


def _gone(database: Database, stale: Sequence[str]) -> list[str]:
    """Those that nobody has published again."""
    back: set[str] = set()
    with database.read() as connection:
        for at in range(0, len(stale), _SLICE):
            ids = stale[at : at + _SLICE]
            back.update(connection.scalars(select(chunks.c.id).where(chunks.c.id.in_(ids))))
    return [id_ for id_ in stale if id_ not in back]


def _drop(stores: Stores, name: str) -> None:
    try:
        stores.drop(name)
    except StoreUnavailable as error:  # as in `sweep`: nobody can open these stores any more
        stores.doubt()
        _log.warning("stale_stores_left", generation=name, error=str(error))


def release(database: Database, blobs: Blobs, candidates: Iterable[str]) -> None:
    """Delete those of the blobs that no version and no unfinished job refers to: each that can be,
    whatever the others come to. Raises the first failure, and at once that of the catalogue.
    """
    wanted = sorted({*candidates})
    failures: dict[str, Exception] = {}
    for at in range(0, len(wanted), AT_ONCE):
        failures |= delete_unused(database, blobs, wanted[at : at + AT_ONCE])
    for error in failures.values():
        raise error


def delete_unused(
    database: Database, blobs: Blobs, digests: Sequence[str]
) -> Mapping[str, Exception]:
    """Delete those that no version and no unfinished job refers to; which couldn't be, and why.

    What refers to bytes is written before they are, and before they are `await_deletion` has
    returned. So either it is seen here, where the digest is held, or its bytes are put when they
    were deleted. No transaction is open meanwhile: a store may take long to answer. Who sends the
    same bytes waits for all of these, so they are to be few, and are deleted side by side. None is
    where somebody else holds one of them: StillHeld, of each. Raises StoreUnavailable where the
    catalogue fails.
    """
    failures: dict[str, Exception] = {}

    def delete(blob: str) -> None:
        try:
            held.still_held()  # or what is deleted may have been put anew
            blobs.delete(blob)
        except Exception as error:  # noqa: BLE001 - the others are deleted nevertheless
            failures[blob] = error

    try:
        with database.hold(digests, seconds=_PATIENCE) as held:
            unused = _unused(database, digests)
            with side_by_side(delete, unused):
                pass
    except StillHeld as error:
        return dict.fromkeys(digests, error)
    return failures


def await_deletion(database: Database, digests: Iterable[str]) -> None:
    """Return when none of these is being deleted any more. Once a row refers to it, nobody begins
    to. Raises StoreUnavailable.
    """
    try:
        database.wait(digests)
    except StillHeld as error:
        raise StoreUnavailable(
            "The same bytes are just being deleted with what had them before, which takes their "
            "store long. Try again in a moment."
        ) from error


def strays(database: Database, digests: Iterable[str]) -> Iterator[str]:
    """Those of all blobs that no version and no unfinished job refers to. There may be millions:
    never more than a few are held in memory.
    """
    coming = iter(digests)  # seen before the rows are: what comes meanwhile has a row first
    while some := [*islice(coming, _SLICE)]:
        yield from _unused(database, some)


def _forget(connection: Connection, which: ColumnElement[bool]) -> Sequence[str]:
    """Delete documents, the answers that hold text of them, and the cached vectors that only they
    used; the blobs they had.
    """
    ids = select(documents.c.id).where(which)
    embedded = connection.execute(
        select(generations.c.model_fingerprint, chunks.c.text_hash)
        .join(generations, generations.c.id == chunks.c.generation_id)
        .where(chunks.c.document_id.in_(ids))
        .distinct()
    ).all()
    blobs = connection.scalars(select(versions.c.blob).where(versions.c.document_id.in_(ids))).all()
    forget_answers(connection, which)
    connection.execute(delete(documents).where(which))
    for model in {row.model_fingerprint for row in embedded}:
        mine = [row.text_hash for row in embedded if row.model_fingerprint == model]
        forget_vectors(connection, model, mine)
    return blobs


def _unused(database: Database, blobs: Sequence[str]) -> list[str]:
    by_version = select(versions.c.blob).where(versions.c.blob.in_(blobs))
    by_job = select(jobs.c.blob).where(jobs.c.blob.in_(blobs), jobs.c.state.in_(UNFINISHED))
    with database.glance() as connection:  # one statement: a job ends when its version is there
        used = {*connection.scalars(union(by_version, by_job))}
    return [blob for blob in blobs if blob not in used]
