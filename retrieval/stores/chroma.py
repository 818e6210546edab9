"""Vectors in Chroma, embedded in this process or in a server of its own.

Only ids, vectors and document ids go in. Embedded, chromadb holds the GIL during every write, so
an event loop stands still for as long; the sizes below keep that short. With a Chroma server
nothing stands still: waiting for a socket gives the GIL away.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import chromadb
import numpy as np
import structlog
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings
from chromadb.errors import InternalError, NotFoundError

from retrieval.errors import StoreUnavailable
from retrieval.ports import Scored
from retrieval.stores.chroma_access import Access, FileAccess
from retrieval.stores.chroma_log import CHROMA_FILE
from retrieval.stores.chroma_server import address, connected, sessions
from retrieval.stores.chroma_settings import ChromaSettings
from retrieval.stores.naming import checked
from retrieval.stores.reconnecting import ServerAccess
from retrieval.stores.sqlite_locks import SqliteLocks
from retrieval.types import Vector, Vectors

R = TypeVar("R")

_log = structlog.get_logger()

# Rows a call. The GIL is held 16 to 23 ms for 32 rows of 384 dimensions (5,000 rows: 0.78 s);
# smaller slices pay 7 ms a call: 8 rows make 770 rows/s, 16 rows 1,350, 32 rows 1,900.
_SLICE = 32

# Rows a call of a server, and calls under way at once. On two busy cores, which the server shares:
# 32 rows at a time 300 to 400 rows/s, 300 550, four times 500 at once 910 to 1,020; four times
# 1,000 make 800 to 1,250, and a request of 2 MB.
_SERVER_SLICE = 500
_SERVER_WRITERS = 4

# Rows between two writes of the HNSW files, which hold the GIL too: at 40,000 rows 60 ms with
# 200, 81 ms with 500, 107 ms with Chroma's own 1,000, at the same 1,500 rows/s.
_SYNC = 200

# Candidates kept during a search. Recall of the best 100 of 30,000 clustered vectors: 0.91 with
# Chroma's own 100, 0.98 with 400, for about 1 ms more.
_REACH = 400

_PAGE = 10_000  # ids fetched at a time

# chromadb 1.5.9 may fail to read what is changed meanwhile, and is asked again, after so many
# seconds. It finds a row and then its id, which a deletion may take away between the two: 2 of
# 6,272 queries beside one writer. And while the first call that writes to a collection is under
# way, 10 ms for one row and 200 ms for 1,000, it finds no index, and counts no row.
_VANISHED = "Error finding id"
_BEGUN = "Nothing found on disk"
_PAUSES = (0.0, 0.01, 0.02, 0.05, 0.1)

_GONE = (
    "The vectors of a knowledge base are gone from Chroma. Nothing else is lost: restart Footnote, "
    "which writes them again from the catalogue."
)

_OWNER = "footnote-owner"  # a collection without vectors, which says whose the others are
_INSTALLATION = "installation"


class ChromaVectorStores:
    """All the vector stores of one Chroma, by name."""

    def __init__(self, client: ClientAPI, access: Access, writing: "_Writing") -> None:
        self._client = client
        self._access = access
        self._writing = writing

    @classmethod
    def embedded(cls, directory: Path) -> Self:
        """Stores in a directory, which no other process may use. Raises StoreUnavailable."""
        locks = SqliteLocks(directory / CHROMA_FILE)
        access = FileAccess(f"The vector store in {str(directory)!r}", locks)
        with ExitStack() as unless_opened:
            unless_opened.callback(access.close)
            settings = Settings(anonymized_telemetry=False)
            client = access.write(lambda: chromadb.PersistentClient(directory, settings=settings))
            most = access.read(client.get_max_batch_size)
            stores = cls(client, access, _Writing(min(_SLICE, most)))
            unless_opened.pop_all()
        return stores

    @classmethod
    def at_server(cls, settings: ChromaSettings) -> Self:
        """Stores in a Chroma server, in a database of its own.

        Raises InvalidRequest for settings that can't be used; StoreUnavailable when no server, or
        none that is new enough, answers there.
        """
        url = address(settings)
        opening = ServerAccess(url, opening=True)
        client = connected(settings, opening)
        most = opening.read(client.get_max_batch_size)
        writing = _Writing(min(_SERVER_SLICE, most), _SERVER_WRITERS)
        return cls(client, ServerAccess(url), writing)

    def open(self, name: str, may_make: Callable[[], bool] = lambda: True) -> "ChromaVectorStore":
        """The store of that name, made if it isn't there and may be made, which is asked again
        whenever it is gone. Raises StoreUnavailable, and what `may_make` raises.
        """
        find = partial(self._collection, checked(name), may_make)
        return ChromaVectorStore(self._access.read(find), find, self._access, self._writing)

    def _collection(self, name: str, may_make: Callable[[], bool]) -> Collection:
        try:
            return self._client.get_collection(name, embedding_function=None)
        except NotFoundError as error:
            if not may_make():
                _log.warning("vectors_are_gone", store=name)
                raise StoreUnavailable(_GONE) from error
        return self._access.write(
            lambda: self._client.get_or_create_collection(
                name,
                embedding_function=None,
                configuration={
                    "hnsw": {"space": "cosine", "sync_threshold": _SYNC, "ef_search": _REACH}
                },
            )
        )

    def drop(self, name: str) -> None:
        """Delete the store of that name; if there is none, nothing happens."""

        def work() -> None:
            with suppress(NotFoundError):
                self._client.delete_collection(name)

        self._access.write(work)

    def names(self) -> list[str]:
        """Those of all stores, whoever made them."""
        found = self._access.read(self._client.list_collections)
        return sorted(collection.name for collection in found if collection.name != _OWNER)

    def owner(self) -> str | None:
        """The installation that the stores belong to, if one has claimed them."""

        def work() -> str | None:
            try:
                return _noted(self._client.get_collection(_OWNER, embedding_function=None))
            except NotFoundError:
                return None

        return self._access.read(work)

    def claim(self, installation: str) -> str:
        """Note whose the stores are, unless that is noted; whose they are then."""
        return _noted(
            self._access.write(
                lambda: self._client.get_or_create_collection(
                    _OWNER, embedding_function=None, metadata={_INSTALLATION: installation}
                )
            )
        )

    def close(self) -> None:
        self._writing.close()
        for session in sessions(self._client):
            session.close()
        self._client.close()  # type: ignore[attr-defined]  # there, but not in ClientAPI
        self._access.close()


def _noted(collection: Collection) -> str:
    return str((collection.metadata or {}).get(_INSTALLATION, "nobody"))


class ChromaVectorStore:
    """One collection, by cosine. Where it is gone, the one that has its name by now: a process that
    started may have written it again.
    """

    def __init__(
        self,
        collection: Collection,
        find: Callable[[], Collection],
        access: Access,
        writing: "_Writing",
    ) -> None:
        self._collection = collection
        self._find = find
        self._access = access
        self._writing = writing
        self._used = False

    def upsert(self, ids: Sequence[str], vectors: Vectors, document_ids: Sequence[str]) -> None:
        # Chroma refuses an id that comes twice in a call; the last one counts.
        rows = {id_: row for row, (id_, _) in enumerate(zip(ids, document_ids, strict=True))}

        def write(part: Sequence[str]) -> None:
            work = partial(
                Collection.upsert,
                ids=[*part],
                embeddings=vectors[[rows[id_] for id_ in part]],
                metadatas=[{"document_id": document_ids[rows[id_]]} for id_ in part],
            )
            self._access.write(partial(self._there, work))

        self._writing.each(list(rows), write)

    def delete(self, ids: Sequence[str]) -> None:
        def write(part: Sequence[str]) -> None:
            work = partial(Collection.delete, ids=[*part])
            self._access.write(partial(self._there, work))

        self._writing.each(list(dict.fromkeys(ids)), write)

    def query(self, vector: Vector, k: int) -> list[Scored]:
        if k < 1:
            return []
        work = partial(
            Collection.query,
            query_embeddings=vector[np.newaxis],
            n_results=k,
            include=["distances"],
        )
        found = self._by_index(partial(_settled, work))
        if found is None:
            return []
        distances = found["distances"] or [[]]
        hits = [
            Scored(id_, 1.0 - distance)
            for id_, distance in zip(found["ids"][0], distances[0], strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))

    def count(self) -> int:
        return self._by_index(Collection.count)

    def ids(self) -> set[str]:
        found: set[str] = set()
        while page := self._page(len(found)):
            found.update(page)
        return found

    def _page(self, offset: int) -> list[str]:
        get = partial(Collection.get, include=[], limit=_PAGE, offset=offset)
        return self._access.read(partial(self._there, get))["ids"]

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        if not ids:
            return {}
        get = partial(Collection.get, ids=list(ids), include=["embeddings"])
        got = self._access.read(partial(self._there, partial(_settled, get)))
        if got is None or (vectors := got["embeddings"]) is None:
            return {}
        return {
            id_: np.asarray(vector, dtype=np.float32)
            for id_, vector in zip(got["ids"], vectors, strict=True)
        }

    def _by_index(self, work: Callable[[Collection], R]) -> R:
        """What uses the index; the first use brings it up to date, which may write."""
        there = partial(self._there, work)
        done = self._access.read(there) if self._used else self._access.write(there)
        self._used = True
        return done

    def _there(self, work: Callable[[Collection], R]) -> R:
        """What is done with the collection that is there. Raises StoreUnavailable if none is."""
        try:
            return work(self._collection)
        except NotFoundError:
            self._collection = self._find()
            return work(self._collection)


def _settled(read: Callable[[Collection], R], collection: Collection) -> R | None:
    """What reading gives, where it meets a change that is under way; None where that is the first
    one, before which nothing was there.
    """
    for pause in _PAUSES:
        try:
            return read(collection)
        except InternalError as error:
            if _BEGUN in str(error) and not collection.count():
                return None
            if _BEGUN not in str(error) and _VANISHED not in str(error):
                raise
        time.sleep(pause)
    return read(collection)


class _Writing:
    """How many rows a call writes, and how many calls are under way at once."""

    def __init__(self, rows: int, calls: int = 1) -> None:
        self._rows = rows
        self._pool = ThreadPoolExecutor(calls, "chroma-writer") if calls > 1 else None

    def each(self, ids: list[str], write: Callable[[Sequence[str]], None]) -> None:
        """Write all of them; nothing is being written any more when it returns, or raises."""
        parts = [ids[at : at + self._rows] for at in range(0, len(ids), self._rows)]
        if self._pool is None or len(parts) == 1:
            for part in parts:
                write(part)
                time.sleep(0)  # lets another thread, the event loop's above all, take the GIL
            return
        written = [self._pool.submit(write, part) for part in parts]
        try:
            for one in written:
                one.result()
        finally:
            for one in written:
                one.cancel()
            wait(written)

    def close(self) -> None:
        if self._pool:
            self._pool.shutdown()
