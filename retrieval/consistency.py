"""Whether the stores hold what the catalogue says, and making it so.

The catalogue has everything that is in the vector store and the lexical index: the vectors by
the hash of what was embedded, the words as context and span. So both can be filled again without
embedding anything. Nothing may be published meanwhile, so each knowledge base is held, and who lost
it changes nothing more: what a store has too many of may be what another process published since.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import structlog
from sqlalchemy import Row, Select, and_, delete, exists, func, or_, select

from retrieval.database import Database
from retrieval.embedding.cache import to_vector
from retrieval.errors import DataLost, StoreUnavailable
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.ports import Posting, Stores, VectorStore
from retrieval.schema import (
    HAS_CHUNKS,
    LIVE_CHUNK,
    chunks,
    documents,
    embeddings,
    generations,
    vector_of_chunk,
    versions,
)
from retrieval.stretches import TEXT_OF_CHUNK
from retrieval.types import KnowledgeBase, Vector

_log = structlog.get_logger()

_SLICE = 500  # chunks written at a time
_PATIENCE = 600  # seconds; another process may be filling a store anew

# A Chroma server takes 4.7 s to name 100,000 ids, the more the longer for each, and 0.05 s to count
# them (two busy cores); meanwhile nobody publishes. Up to that many all are compared.
_FEW = 20_000
_SAMPLE = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """The chunks that a generation's stores lack, and those they have too many."""

    missing_vectors: frozenset[str]
    extra_vectors: frozenset[str]
    missing_postings: frozenset[str]
    extra_postings: frozenset[str]

    def __bool__(self) -> bool:
        return bool(
            self.missing_vectors
            or self.extra_vectors
            or self.missing_postings
            or self.extra_postings
        )


class Consistency:
    """Compares the stores with the catalogue and mends them."""

    def __init__(self, database: Database, stores: Stores) -> None:
        self._database = database
        self._stores = stores

    def restore(self, *, sampling: bool = False) -> None:
        """Bring everything to where the catalogue is. Raises StoreUnavailable.

        With `sampling`, of many vectors only their number and some ids are looked at. What that
        doesn't notice costs a few candidates of the dense leg, and `footnote doctor` finds it.
        """
        forget_remains(self._database)
        self.drop_strays()
        for held, kb in self.each():
            try:
                self._restore(held, kb, sampling)
            except StoreUnavailable as error:
                if self._database.shared and not isinstance(error, DataLost):
                    raise  # others find their words there, which are whole
                _log.warning("lexical_index_is_made_anew", error=str(error))
                held.still_held()
                self._stores.drop_words(kb.generation.id)
                self._restore(held, kb, sampling)

    def each(self) -> Iterator[tuple[Database, KnowledgeBase]]:
        """Each generation that there is, with its stores, and the catalogue that holds it: while it
        does, no other process writes to it or deletes it.
        """
        for kb in KnowledgeBases(self._database).generations():
            with self._database.hold([kb.id], seconds=_PATIENCE) as held:
                if is_there(held, kb.generation.id):
                    self._stores.make_vectors(kb.generation.id)
                    yield held, kb

    def _restore(self, held: Database, kb: KnowledgeBase, sampling: bool) -> None:
        if difference := self.difference(held, kb, sampling=sampling):
            self.mend(held, kb, difference)

    def difference(
        self, held: Database, kb: KnowledgeBase, *, sampling: bool = False
    ) -> Difference:
        """What sets the stores of a knowledge base apart from the catalogue that holds it: see
        `restore`. Raises StoreUnavailable, also where it was lost meanwhile.
        """
        with held.read() as connection:
            expected = frozenset(connection.scalars(_ids(kb)))
        store = self._stores.vectors(kb.generation.id)
        vectors = expected if sampling and _looks_same(store, expected) else store.ids()
        postings = self._stores.lexical(kb.generation.id).ids()
        held.still_held()  # or what was published meanwhile would seem to be too much
        return Difference(
            missing_vectors=expected - vectors,
            extra_vectors=frozenset(vectors - expected),
            missing_postings=expected - postings,
            extra_postings=frozenset(postings - expected),
        )

    def write_vectors(self, held: Database, kb: KnowledgeBase) -> None:
        """Write all vectors of a generation again."""
        with held.read() as connection:
            every = frozenset(connection.scalars(_rows(kb).with_only_columns(chunks.c.id)))
        self.mend(held, kb, Difference(every, frozenset(), frozenset(), frozenset()))

    def mend(self, held: Database, kb: KnowledgeBase, difference: Difference) -> None:
        """Take out what is too much, and write what is missing. Raises StoreUnavailable, also where
        the knowledge base isn't held any more: the next start does what is left then.
        """
        vectors = self._stores.vectors(kb.generation.id)
        lexical = self._stores.lexical(kb.generation.id)
        if difference.extra_vectors:
            held.still_held()
            vectors.delete(sorted(difference.extra_vectors))
        if difference.extra_postings:
            held.still_held()
            lexical.delete(sorted(difference.extra_postings))
        for rows in _slices(held, kb, sorted(difference.missing_vectors)):
            vectors.upsert(
                [row.id for row in rows],
                np.stack([to_vector(row.vector) for row in rows]),
                [row.document_id for row in rows],
            )
        for rows in _slices(held, kb, sorted(difference.missing_postings)):
            lexical.upsert(
                [Posting(row.id, row.document_id, row.context + row.text) for row in rows]
            )
        _log.info(
            "stores_mended",
            knowledge_base=kb.name,
            vectors=len(difference.missing_vectors),
            postings=len(difference.missing_postings),
            taken_out=len(difference.extra_vectors | difference.extra_postings),
        )

    def strays(self) -> set[str]:
        """The stores that belong to no knowledge base any more."""
        found = self._stores.generations()  # first: a generation has a row before it has stores
        with self._database.read() as connection:
            return found - {*connection.scalars(select(generations.c.id))}

    def drop_strays(self) -> None:
        for stray in self.strays():
            self._stores.drop(stray)


def _slices(held: Database, kb: KnowledgeBase, ids: Sequence[str]) -> Iterator[Sequence[Row[Any]]]:
    """What is to be written of these chunks, some at a time, as long as they are held."""
    for at in range(0, len(ids), _SLICE):
        query = _rows(kb).where(chunks.c.id.in_(ids[at : at + _SLICE]))
        with held.read() as connection:
            rows = connection.execute(query).all()
        held.still_held()
        if rows:
            yield rows


def _looks_same(store: VectorStore, expected: Collection[str]) -> bool:
    """Whether a store of many vectors holds as many as it should, and those that are asked for."""
    if len(expected) <= _FEW or store.count() != len(expected):
        return False
    some = [*islice(expected, _SAMPLE)]  # of a set, whose order is another in each process
    return len(store.vectors(some)) == len(some)


def is_there(database: Database, generation: str) -> bool:
    """Whether a generation wasn't deleted."""
    mine = exists().where(generations.c.id == generation)
    with database.read() as connection:
        return bool(connection.scalar(select(mine)))


def has_chunks(database: Database, generation: str) -> bool:
    """Whether any chunk of a generation is live."""
    mine = exists().where(LIVE_CHUNK, chunks.c.generation_id == generation)
    with database.read() as connection:
        return bool(connection.scalar(select(mine)))


def samples(database: Database, count: int) -> dict[str, dict[str, Vector]]:
    """Some of the vectors that the store of each generation should hold, by their ids."""
    found: dict[str, dict[str, Vector]] = {}
    for kb in KnowledgeBases(database).generations():
        rows = some(database, kb, count)
        found[kb.generation.id] = {row.id: to_vector(row.vector) for row in rows}
    return found


def some(database: Database, kb: KnowledgeBase, count: int) -> Sequence[Row[Any]]:
    """At most so many live chunks with their vectors, contexts and texts, at random."""
    # Chosen by their ids: to sort all by chance, texts and vectors of all would be read.
    chosen = _ids(kb).order_by(func.random()).limit(count)
    with database.read() as connection:
        return connection.execute(_rows(kb).where(chunks.c.id.in_(chosen))).all()


def remains(database: Database) -> int:
    """How many versions an interrupted attempt left that never became live."""
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(versions).where(_STAGED)) or 0


def forget_remains(database: Database) -> None:
    """Delete what an interrupted attempt staged; its job stages it again.

    What another process stages just now is none: it holds its knowledge base meanwhile.
    """
    never_live = documents.c.live_version.is_(None)
    with database.read() as connection:
        staged = connection.scalars(select(versions.c.document_id).where(_STAGED)).all()
        found = or_(never_live, documents.c.id.in_(staged))
        kbs = connection.scalars(select(documents.c.kb_id).where(found).distinct()).all()
    for kb_id in kbs:
        mine = documents.c.kb_id == kb_id
        of_mine = versions.c.document_id.in_(select(documents.c.id).where(mine))
        with database.hold([kb_id]) as held, held.write() as connection:
            connection.execute(delete(versions).where(_STAGED, of_mine))
            connection.execute(delete(documents).where(never_live, mine))


_STAGED = or_(
    and_(
        HAS_CHUNKS,
        exists().where(
            documents.c.id == versions.c.document_id,
            documents.c.live_version != versions.c.version,
        ),
    ),
    exists().where(documents.c.id == versions.c.document_id, documents.c.live_version.is_(None)),
)


def _ids(kb: KnowledgeBase) -> Select[str]:
    live = select(chunks.c.id).join(documents, LIVE_CHUNK)
    return live.where(chunks.c.generation_id == kb.generation.id)


def _rows(kb: KnowledgeBase) -> Select[Any]:
    return (
        select(
            chunks.c.id,
            chunks.c.document_id,
            chunks.c.context,
            TEXT_OF_CHUNK.label("text"),
            embeddings.c.vector,
        )
        .join(documents, LIVE_CHUNK)
        .join(embeddings, vector_of_chunk(kb.generation.model.fingerprint))
        .where(chunks.c.generation_id == kb.generation.id)
    )
