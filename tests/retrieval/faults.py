"""Ports that let calls through, and fail those that they are told to."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from retrieval.database import Database
from retrieval.dialects.dialect import BUSY_SECONDS
from retrieval.errors import StoreUnavailable
from retrieval.ports import LexicalStore, Posting, Scored, Stores, VectorStore
from retrieval.types import Vector, Vectors

R = TypeVar("R")


class Fault(StoreUnavailable):
    """What a failing port raises."""


class Faults:
    """Lets calls of ports through, and fails the one it is told to, counted from 1."""

    def __init__(self) -> None:
        self.calls = 0
        self.fail_at = 0
        self.poison = ""

    def pass_on(self, call: Callable[[], R], ids: Sequence[str] = ()) -> R:
        self.calls += 1
        if self.calls == self.fail_at or (self.poison and self.poison in ids):
            raise Fault(f"call {self.calls}")
        return call()


class FaultyDatabase(Database):
    """The catalogue of an engine; what would be committed can fail at the last moment."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self._database, self._faults = database, faults

    @property
    def shared(self) -> bool:
        return self._database.shared

    @contextmanager
    def hold(self, names: Iterable[str], *, seconds: int = BUSY_SECONDS) -> Iterator[Database]:
        with self._database.hold(names, seconds=seconds) as held:
            yield FaultyDatabase(held, self._faults)

    def wait(self, names: Iterable[str], *, seconds: int = BUSY_SECONDS) -> None:
        self._database.wait(names, seconds=seconds)

    def still_held(self) -> None:
        self._database.still_held()

    def read(self) -> Any:
        return self._database.read()

    def glance(self) -> Any:
        return self._database.glance()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            yield connection
            self._faults.pass_on(lambda: None)


class FaultyVectors:
    def __init__(self, store: VectorStore, faults: Faults) -> None:
        self._store, self._faults = store, faults

    def upsert(self, ids: Sequence[str], vectors: Vectors, document_ids: Sequence[str]) -> None:
        self._faults.pass_on(
            lambda: self._store.upsert(ids, vectors, document_ids), list(document_ids)
        )

    def delete(self, ids: Sequence[str]) -> None:
        self._faults.pass_on(lambda: self._store.delete(ids))

    def query(self, vector: Vector, k: int) -> list[Scored]:
        return self._store.query(vector, k)

    def count(self) -> int:
        return self._store.count()

    def ids(self) -> set[str]:
        return self._store.ids()

    def vectors(self, ids: Sequence[str]) -> dict[str, Vector]:
        return self._store.vectors(ids)


class FaultyPostings:
    def __init__(self, store: LexicalStore, faults: Faults) -> None:
        self._store, self._faults = store, faults

    def upsert(self, postings: Sequence[Posting]) -> None:
        self._faults.pass_on(lambda: self._store.upsert(postings))

    def delete(self, ids: Sequence[str]) -> None:
        self._faults.pass_on(lambda: self._store.delete(ids))

    def query(self, text: str, k: int, documents: Collection[str] | None = None) -> list[Scored]:
        return self._store.query(text, k, documents)

    def frequencies(self, terms: Collection[str]) -> dict[str, int]:
        return self._store.frequencies(terms)

    def count(self) -> int:
        return self._store.count()

    def ids(self) -> set[str]:
        return self._store.ids()


class FaultyStores:
    """The stores of an engine; what writes to them can fail."""

    def __init__(self, stores: Stores, faults: Faults) -> None:
        self._stores, self._faults = stores, faults

    def vectors(self, generation: str) -> FaultyVectors:
        return FaultyVectors(self._stores.vectors(generation), self._faults)

    def lexical(self, generation: str) -> FaultyPostings:
        return FaultyPostings(self._stores.lexical(generation), self._faults)

    def drop(self, generation: str) -> None:
        self._faults.pass_on(lambda: self._stores.drop(generation))

    def make_vectors(self, generation: str) -> None:
        self._faults.pass_on(lambda: self._stores.make_vectors(generation))

    def drop_words(self, generation: str) -> None:
        self._faults.pass_on(lambda: self._stores.drop_words(generation))

    def generations(self) -> set[str]:
        return self._stores.generations()

    def doubt(self) -> None:
        self._stores.doubt()
