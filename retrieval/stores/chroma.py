"""Vectors in Chroma, embedded in this process or in a server of its own.

Only ids, vectors and document ids go in. Embedded, chromadb holds the GIL during every write, so
an event loop stands still for as long; the sizes below keep that short. With a Chroma server
nothing stands still: waiting for a socket gives the GIL away.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.models.Collection import Collection
from chromadb.api.types import QueryResult
from chromadb.config import Settings
from chromadb.errors import ChromaError, InternalError, NotFoundError

from retrieval.errors import InvalidRequest
from retrieval.ports import Scored
from retrieval.stores.chroma_log import CHROMA_FILE
from retrieval.stores.failures import unavailable_if
from retrieval.stores.naming import checked
from retrieval.stores.sqlite_locks import SqliteLocks
from retrieval.types import Vector, Vectors

# Rows a call. The GIL is held 16 to 23 ms for 32 rows of 384 dimensions (5,000 rows: 0.78 s);
# smaller slices pay 7 ms a call: 8 rows make 770 rows/s, 16 rows 1,350, 32 rows 1,900.
_SLICE = 32

# Rows between two writes of the HNSW files, which hold the GIL too: at 40,000 rows 60 ms with
# 200, 81 ms with 500, 107 ms with Chroma's own 1,000, at the same 1,500 rows/s.
_SYNC = 200

# Candidates kept during a search. Recall of the best 100 of 30,000 clustered vectors: 0.91 with
# Chroma's own 100, 0.98 with 400, for about 1 ms more.
_REACH = 400

_PAGE = 10_000  # ids fetched at a time

# chromadb 1.5.9 finds a row and then its id, which a deletion may take away between the two: 2 of
# 6,272 queries beside one writer. So it is asked again, this often at most.
_VANISHED = "Error finding id"
_TRIES = 5

_TIMEOUT = 60.0  # seconds without an answer of a server; Chroma itself would wait for ever

_ADVICE = "Check that it is running and that its files can be read."

# Chroma raises ValueError where no server answers and AttributeError once it is closed.
_KINDS = (ChromaError, httpx.HTTPError, OSError, ValueError, AttributeError)


class ChromaVectorStores:
    """All the vector stores of one Chroma, by name."""

    def __init__(self, client: ClientAPI, access: "_Access") -> None:
        self._client = client
        self._access = access
        with access.reading():
            self._slice = min(_SLICE, client.get_max_batch_size())

    @classmethod
    def embedded(cls, directory: Path) -> Self:
        """Stores in a directory, which no other process may use. Raises StoreUnavailable."""
        locks = SqliteLocks(directory / CHROMA_FILE)
        access = _Access(f"The vector store in {str(directory)!r}", locks)
        with ExitStack() as unless_opened:
            unless_opened.callback(access.close)
            with access.writing():
                client = chromadb.PersistentClient(directory, settings=_settings())
            stores = cls(client, access)
            unless_opened.pop_all()
        return stores

    @classmethod
    def at_server(cls, url: str) -> Self:
        """Stores in a Chroma server. Raises StoreUnavailable when none answers there."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRequest(
                f"{url!r} is not the address of a Chroma server (http://host:port)."
            )
        secure = parts.scheme == "https"
        access = _Access(f"The Chroma server at {url}")
        with access.writing():
            client = chromadb.HttpClient(
                host=parts.hostname,
                port=parts.port or (443 if secure else 8000),
                ssl=secure,
                settings=_settings(),
            )
        for session in _sessions(client):
            session.timeout = _TIMEOUT
        return cls(client, access)

    def open(self, name: str) -> "ChromaVectorStore":
        """The store of that name, made if it isn't there."""
        with self._access.writing():
            collection = self._client.get_or_create_collection(
                checked(name),
                embedding_function=None,
                configuration={
                    "hnsw": {"space": "cosine", "sync_threshold": _SYNC, "ef_search": _REACH}
                },
            )
        return ChromaVectorStore(collection, self._access, self._slice)

    def drop(self, name: str) -> None:
        """Delete the store of that name; if there is none, nothing happens."""
        with self._access.writing():
            try:
                self._client.delete_collection(name)
            except NotFoundError:
                return

    def names(self) -> list[str]:
        with self._access.reading():
            return sorted(collection.name for collection in self._client.list_collections())

    def close(self) -> None:
        for session in _sessions(self._client):
            session.close()
        self._client.close()  # type: ignore[attr-defined]  # there, but not in ClientAPI
        self._access.close()


class ChromaVectorStore:
    """One collection, by cosine."""

    def __init__(self, collection: Collection, access: "_Access", rows: int) -> None:
        self._collection = collection
        self._access = access
        self._slice = rows
        self._used = False

    def upsert(self, ids: Sequence[str], vectors: Vectors, document_ids: Sequence[str]) -> None:
        # Chroma refuses an id that comes twice in a call; the last one counts.
        rows = {id_: row for row, (id_, _) in enumerate(zip(ids, document_ids, strict=True))}
        for part in self._slices(list(rows)):
            with self._access.writing():
                self._collection.upsert(
                    ids=part,
                    embeddings=vectors[[rows[id_] for id_ in part]],
                    metadatas=[{"document_id": document_ids[rows[id_]]} for id_ in part],
                )

    def delete(self, ids: Sequence[str]) -> None:
        for part in self._slices(list(dict.fromkeys(ids))):
            with self._access.writing():
                self._collection.delete(ids=part)

    def query(self, vector: Vector, k: int) -> list[Scored]:
        if k < 1:
            return []
        with self._index():
            found = self._found(vector, k)
        distances = found["distances"] or [[]]
        hits = [
            Scored(id_, 1.0 - distance)
            for id_, distance in zip(found["ids"][0], distances[0], strict=True)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))

    def _found(self, vector: Vector, k: int) -> QueryResult:
        """What a query gives; again where a row that it found was deleted before it was named."""
        for _ in range(_TRIES):
            try:
                return self._query(vector, k)
            except InternalError as error:
                if _VANISHED not in str(error):
                    raise
        return self._query(vector, k)

    def _query(self, vector: Vector, k: int) -> QueryResult:
        return self._collection.query(
            query_embeddings=vector[np.newaxis], n_results=k, include=["distances"]
        )

    def count(self) -> int:
        with self._index():
            return self._collection.count()

    def ids(self) -> set[str]:
        found: set[str] = set()
        with self._access.reading():
            while page := self._collection.get(include=[], limit=_PAGE, offset=len(found))["ids"]:
                found.update(page)
        return found

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        if not ids:
            return {}
        with self._access.reading():
            got = self._collection.get(ids=list(ids), include=["embeddings"])
        vectors = got["embeddings"]
        if vectors is None:
            return {}
        return {
            id_: np.asarray(vector, dtype=np.float32)
            for id_, vector in zip(got["ids"], vectors, strict=True)
        }

    @contextmanager
    def _index(self) -> Iterator[None]:
        """Around what uses the index; the first use brings it up to date, which may write."""
        with self._access.reading() if self._used else self._access.writing():
            yield
        self._used = True

    def _slices(self, ids: list[str]) -> Iterator[list[str]]:
        for at in range(0, len(ids), self._slice):
            yield ids[at : at + self._slice]
            time.sleep(0)  # lets another thread, the event loop's above all, take the GIL


class _Access:
    """What goes on around each call of Chroma: no waiting for ever, and one kind of error."""

    def __init__(self, where: str, locks: SqliteLocks | None = None) -> None:
        self._where = where
        self._locks = locks

    def reading(self) -> AbstractContextManager[None]:
        """Around what reads. Raises StoreUnavailable."""
        return self._around(writing=False)

    def writing(self) -> AbstractContextManager[None]:
        """Around what may write. Raises StoreUnavailable."""
        return self._around(writing=True)

    def close(self) -> None:
        if self._locks:
            self._locks.close()

    @contextmanager
    def _around(self, *, writing: bool) -> Iterator[None]:
        with unavailable_if(self._where, _ADVICE, *_KINDS):
            if self._locks:
                self._locks.wait(writing=writing)
            yield


def _settings() -> Settings:
    return Settings(anonymized_telemetry=False)


def _sessions(client: ClientAPI) -> list[httpx.Client]:
    """The HTTP connections of a client, which it neither closes nor lets time out itself."""
    owners = (client, getattr(client, "_admin_client", None))
    sessions = (getattr(getattr(owner, "_server", None), "_session", None) for owner in owners)
    return [session for session in sessions if isinstance(session, httpx.Client)]
