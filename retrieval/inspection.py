"""Looking into every store: does each hold what the catalogue says, all of it and no more?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import Text, cast, exists, func, select

from retrieval import removal
from retrieval.consistency import Consistency, forget_remains, remains, some
from retrieval.database import Database
from retrieval.embedding.cache import IS_USED, forget_unused, to_vector
from retrieval.errors import DataLost, StoreUnavailable
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.ports import Blobs, Stores
from retrieval.schema import (
    UNFINISHED,
    answer_documents,
    answers,
    chunks,
    document_metadata,
    documents,
    embeddings,
    feedback,
    generations,
    jobs,
    pages,
    stretches,
    vector_of_chunk,
    versions,
)
from retrieval.types import KnowledgeBase

_SAMPLE = 100  # chunks of a knowledge base that are compared and searched for
_SAME = 0.999  # cosine of a vector with what its store makes of it
_FOUND = 0.5  # of the sample must be found; an approximate index misses some of what is alike


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `mended` where a repair has made it good."""

    subject: str
    ok: bool
    detail: str
    mended: bool = False


class Inspection:
    """Checks a data directory, and mends it if it is told to."""

    def __init__(self, database: Database, stores: Stores, blobs: Blobs) -> None:
        self._database = database
        self._stores = stores
        self._blobs = blobs
        self._consistency = Consistency(database, stores)

    def inspect(self, *, repair: bool) -> list[Finding]:
        """A finding a subject."""

        def mended(finding: Finding, mend: Callable[[], object]) -> Finding:
            if finding.ok or not repair:
                return finding
            mend()
            return replace(finding, mended=True)

        found = [
            self._catalogue(),
            mended(
                _none(remains(self._database), "versions", "were staged and never became live"),
                lambda: forget_remains(self._database),
            ),
            _none(
                len(KnowledgeBases(self._database).prepared()),
                "imports",
                "broke off; the next start, or --repair, removes them",
            ),
            mended(
                _none(len(self._consistency.strays()), "stores", "belong to no knowledge base"),
                self._consistency.drop_strays,
            ),
            mended(self._cached_vectors(), lambda: forget_unused(self._database)),
            self._chunks(),
            self._originals(),
            mended(self._stray_originals(), self._delete_stray_originals),
        ]
        for held, kb in self._consistency.each():
            found += self._knowledge_base(held, kb, repair=repair)
        return found

    def trace(self, document_id: str) -> list[Finding]:
        """Whether anything is left of a document that was deleted, store by store."""
        with self._database.read() as connection:
            rows = {
                column.table.name: connection.scalar(
                    select(func.count()).select_from(column.table).where(column == document_id)
                )
                or 0
                for column in _DOCUMENT_IDS
            }
            # Not by what the table beside it says, which may be what went wrong.
            told = cast(answers.c.record, Text).contains(document_id, autoescape=True)
            query = select(func.count()).select_from(answers).where(told)
            rows[answers.name] = connection.scalar(query) or 0
        vectors = postings = 0
        for held, kb in self._consistency.each():
            difference = self._consistency.difference(held, kb)
            vectors += len(difference.extra_vectors)
            postings += len(difference.extra_postings)
        return [
            *(_none(count, f"table {name}", "rows name it") for name, count in rows.items()),
            _none(vectors, "vector store", "vectors belong to no document"),
            _none(postings, "lexical index", "postings belong to no document"),
            self._cached_vectors(),
            self._stray_originals(),
        ]

    def _catalogue(self) -> Finding:
        faults = self._database.faults()
        return Finding("catalogue", not faults, "; ".join(faults[:5]) or "whole")

    def _cached_vectors(self) -> Finding:
        """Those of no chunk are too many, unless a job that isn't over may have made them."""
        with self._database.read() as connection:
            if connection.scalar(select(exists().where(jobs.c.state.in_(UNFINISHED)))):
                return Finding("cached vectors", True, "not checked: jobs are under way")
            query = select(func.count()).select_from(embeddings).where(~IS_USED)
            return _none(connection.scalar(query) or 0, "cached vectors", "belong to no chunk")

    def _chunks(self) -> Finding:
        known = exists().where(vector_of_chunk(generations.c.model_fingerprint))
        query = select(func.count()).select_from(chunks.join(generations)).where(~known)
        with self._database.read() as connection:
            missing = connection.scalar(query) or 0
        return _none(missing, "chunks", "have no vector: send their documents again")

    def _originals(self) -> Finding:
        with self._database.read() as connection:
            needed = {*connection.scalars(select(versions.c.blob))}
        bad = [blob for blob in sorted(needed) if not self._is_whole(blob)]
        detail = f"of {len(needed)} are gone or damaged; their text is still there"
        return _none(len(bad), "original bytes", " ".join([detail, *bad[:3]]))

    def _is_whole(self, blob: str) -> bool:
        try:
            self._blobs.get(blob)
        except (DataLost, StoreUnavailable):
            return False
        return True

    def _stray_originals(self) -> Finding:
        strays = removal.strays(self._database, self._blobs.digests())
        return _none(sum(1 for _ in strays), "original bytes", "belong to no document")

    def _delete_stray_originals(self) -> None:
        stray = removal.strays(self._database, self._blobs.digests())
        removal.release(self._database, self._blobs, stray)

    def _knowledge_base(
        self, held: Database, kb: KnowledgeBase, *, repair: bool
    ) -> Iterable[Finding]:
        difference = self._consistency.difference(held, kb)
        if difference and repair:
            self._consistency.mend(held, kb, difference)
        detail = (
            f"vectors: {len(difference.missing_vectors)} missing, "
            f"{len(difference.extra_vectors)} too many; postings: "
            f"{len(difference.missing_postings)} missing, {len(difference.extra_postings)} too many"
        )
        yield Finding(f"{kb.name}: chunks", not difference, detail, bool(difference) and repair)
        yield self._sample(held, kb, repair=repair)

    def _sample(self, held: Database, kb: KnowledgeBase, *, repair: bool) -> Finding:
        """Some chunks: is the vector the right one, is it found, and are its words?"""
        rows = some(self._database, kb, _SAMPLE)
        vectors = self._stores.vectors(kb.generation.id)
        lexical = self._stores.lexical(kb.generation.id)
        expected = {row.id: to_vector(row.vector) for row in rows}
        stored = vectors.vectors(list(expected))
        right = sum(
            id_ in stored and float(np.dot(stored[id_], vector)) > _SAME
            for id_, vector in expected.items()
        )
        near = sum(
            any(hit.score > _SAME for hit in vectors.query(vector, 1))
            for vector in expected.values()
        )
        said = sum(
            any(
                hit.id == row.id
                for hit in lexical.query(row.context + row.text, _SAMPLE, [row.document_id])
            )
            for row in rows
        )
        ok = right == len(rows) and min(near, said) >= _FOUND * len(rows)
        detail = (
            f"of {len(rows)}: {right} vectors are right, {near} found by their vector, "
            f"{said} by their words"
        )
        if mended := repair and right < len(rows):
            self._consistency.write_vectors(held, kb)
        return Finding(f"{kb.name}: sample", ok, detail, mended)


_DOCUMENT_IDS = (
    documents.c.id,
    document_metadata.c.document_id,
    versions.c.document_id,
    stretches.c.document_id,
    pages.c.document_id,
    chunks.c.document_id,
    jobs.c.document_id,
    feedback.c.document_id,
    answer_documents.c.document_id,
)


def _none(count: int, subject: str, what: str) -> Finding:
    return Finding(subject, count == 0, f"{count} {what}")
