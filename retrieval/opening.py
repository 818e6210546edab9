"""Opening the stores: damage is noticed before it does harm, and mended from the catalogue.

Files that are as the last process closed them, together with this catalogue, are trusted. Any
others are looked at by another process first, and compared with the catalogue, chunk by chunk.
"""

import shutil
import sqlite3
import threading
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
from sqlalchemy import delete, select

from retrieval.consistency import Consistency, has_chunks, is_there, samples
from retrieval.database import Database
from retrieval.errors import NotFound, StoreUnavailable
from retrieval.installation import claim
from retrieval.ports import LexicalStore, LexicalStores, VectorStore
from retrieval.schema import generations, marks
from retrieval.settings import EngineSettings
from retrieval.stores import chroma_log, probe
from retrieval.stores.chroma import ChromaVectorStores
from retrieval.stores.postgres_words import PostgresLexicalStores
from retrieval.stores.seal import Seal
from retrieval.stores.sqlite_locks import SqliteLocks
from retrieval.stores.tantivy_index import TantivyLexicalStores

_log = structlog.get_logger()

_SEALED = "stores sealed"
# What other processes wrote meanwhile no mark tells: stores are always compared with a catalogue
# that is shared, and their seal tells only that their files are whole.
_COMPARED = "compared"
_SAMPLE = 20  # vectors of a generation that its store is asked for


@dataclass(slots=True)
class _Generation:
    """The stores of a generation that are opened, one by one; none once they were dropped."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    vectors: VectorStore | None = None
    lexical: LexicalStore | None = None
    dropped: bool = False


class GenerationStores:
    """The vector store and the lexical index of each generation, each opened once.

    Who opens or deletes those of one generation, which may take a server long, keeps nobody waiting
    who needs those of another. Where other processes share the catalogue, one that isn't there any
    more isn't made anew.
    """

    def __init__(
        self, vectors: ChromaVectorStores, lexical: LexicalStores, database: Database
    ) -> None:
        self._vectors = vectors
        self._lexical = lexical
        self._database = database
        self._generations: defaultdict[str, _Generation] = defaultdict(_Generation)
        self._lock = threading.Lock()
        self.doubted = False

    def vectors(self, generation: str) -> VectorStore:
        one = self._one(generation)
        if (opened := one.vectors) is None:
            with one.lock:
                self._check(generation, one)
                may_make = partial(self._may_make, generation, one)
                opened = one.vectors = one.vectors or self._vectors.open(generation, may_make)
        return opened

    def lexical(self, generation: str) -> LexicalStore:
        one = self._one(generation)
        if (opened := one.lexical) is None:
            with one.lock:
                self._check(generation, one)
                opened = one.lexical = one.lexical or self._lexical.open(generation)
        return opened

    def drop(self, generation: str) -> None:
        one = self._one(generation)
        with one.lock:  # who opens them is done by then, and nobody does from then on
            one.dropped, one.vectors, one.lexical = True, None, None
        self._vectors.drop(generation)
        self._lexical.drop(generation)

    def make_vectors(self, generation: str) -> None:
        self._vectors.open(generation)

    def drop_words(self, generation: str) -> None:
        one = self._one(generation)
        with one.lock:
            one.lexical = None
            self._lexical.drop(generation)

    def _one(self, generation: str) -> _Generation:
        with self._lock:
            return self._generations[generation]

    def _may_make(self, generation: str, one: _Generation) -> bool:
        """Whether a vector store that isn't there has nothing to hold yet. Raises NotFound."""
        self._check(generation, one)
        return not has_chunks(self._database, generation)

    def _check(self, generation: str, one: _Generation) -> None:
        """A search that is under way must not make anew what was deleted meanwhile."""
        if one.dropped or (self._database.shared and not is_there(self._database, generation)):
            raise NotFound("The knowledge base, or this index of it, was deleted meanwhile.")

    def generations(self) -> set[str]:
        return {*self._vectors.names(), *self._lexical.names()}

    def doubt(self) -> None:
        self.doubted = True


@contextmanager
def open_stores(
    settings: EngineSettings, database: Database, mend: bool
) -> Iterator[GenerationStores]:
    """The stores of a data directory.

    With `mend` they hold what the catalogue says; without it they are opened as they are, and
    damaged ones aren't opened. Raises StoreUnavailable.
    """
    chroma, words = settings.data / "chroma", settings.data / "lexical"
    seal = Seal(settings.data / "stores.json", [chroma, words])
    trusted = seal.holds(_mark(database))
    if not trusted:
        if not database.shared:
            _check_lexical(words, mend)
        if not settings.chroma.url:
            _check_vectors(chroma, database, mend)
            if mend:
                _forget_deleted(chroma)
    lexical: LexicalStores = (
        PostgresLexicalStores(database) if database.shared else TantivyLexicalStores(words)
    )
    try:
        vectors = (
            ChromaVectorStores.at_server(settings.chroma)
            if settings.chroma.url
            else ChromaVectorStores.embedded(chroma)
        )
        try:
            stores = GenerationStores(vectors, lexical, database)
            if settings.chroma.url:
                _claim(database, vectors)
            if mend:
                seal.open()
                if settings.chroma.url or database.shared or not trusted:
                    Consistency(database, stores).restore(sampling=bool(settings.chroma.url))
            elif not trusted:
                stores.doubt()
            yield stores
        finally:
            vectors.close()
    finally:
        lexical.close()
    if mend and not settings.chroma.url:
        _forget_deleted(chroma)
    if not stores.doubted:
        _close(seal, database)


def _claim(database: Database, vectors: ChromaVectorStores) -> None:
    """Make sure that a Chroma database is this catalogue's alone. Raises StoreUnavailable."""

    def strays() -> set[str]:
        found = {*vectors.names()}  # first: a generation has a row before it has a store
        with database.read() as connection:
            return found - {*connection.scalars(select(generations.c.id))}

    claim(database, vectors, strays, "Chroma database", "FOOTNOTE_CHROMA_DATABASE")


def _mark(database: Database) -> str | None:
    if database.shared:
        return _COMPARED
    with database.read() as connection:
        return connection.scalar(select(marks.c.value).where(marks.c.name == _SEALED))


def _close(seal: Seal, database: Database) -> None:
    """Seal the stores. Without a seal the next start takes longer, and nothing else."""
    token = uuid.uuid4().hex
    try:
        if database.shared:
            seal.close(_COMPARED)
            return
        with database.write() as connection:
            connection.execute(delete(marks).where(marks.c.name == _SEALED))
            connection.execute(marks.insert().values(name=_SEALED, value=token))
        seal.close(token)
    except (OSError, StoreUnavailable) as error:
        _log.warning("stores_not_sealed", error=str(error))


def _check_vectors(directory: Path, database: Database, mend: bool) -> None:
    if not directory.exists():
        return
    locks = SqliteLocks(directory / chroma_log.CHROMA_FILE)
    try:
        locks.wait(writing=True)
        reason = probe.damage(directory, samples(database, _SAMPLE))
        locks.wait(writing=True)  # what is locked can't be read either, and isn't damaged
    finally:
        locks.close()
    if reason:
        _discard(directory, "vector store", reason, mend)


def _check_lexical(directory: Path, mend: bool) -> None:
    stores = TantivyLexicalStores(directory)
    for name in stores.names():
        try:
            stores.verify(name)
            stores.open(name).ids()
        except StoreUnavailable as error:
            stores.close()
            _discard(directory / name, "lexical index", str(error), mend)
    stores.close()


def _forget_deleted(directory: Path) -> None:
    try:
        chroma_log.forget_deleted(directory)
    except sqlite3.Error as error:
        _log.warning("deleted_vectors_left_in_log", error=str(error))


def _discard(directory: Path, what: str, reason: str, mend: bool) -> None:
    if not mend:
        raise StoreUnavailable(
            f"The {what} in {str(directory)!r} is damaged: {reason}. Nothing is lost, the "
            f"catalogue has it all: `footnote doctor --repair` makes it anew."
        )
    _log.warning("damaged_store_is_made_anew", store=what, reason=reason)
    shutil.rmtree(directory)
