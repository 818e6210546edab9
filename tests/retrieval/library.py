"""A knowledge base to write into and search, with ports that fail when they are told to."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeVar

from ingest import sources
from ingest.parsing import InProcessParser
from ingest.pipeline import Ingested, Pipeline
from ingest.types import ParseLimits, Source
from retrieval.engine import Engine
from retrieval.errors import StoreUnavailable
from retrieval.indexing import Indexer
from retrieval.ports import LexicalStore, Posting, Scored, Stores, VectorStore
from retrieval.search import Query
from retrieval.types import Hit, Metadata, Mode, Vector, Vectors

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


class Library:
    """One knowledge base of an engine, whose index writer can be made to fail."""

    def __init__(self, engine: Engine, name: str = "library") -> None:
        self.faults = Faults()
        stores = FaultyStores(engine.stores, self.faults)
        self.indexer = Indexer(engine.database, stores, engine.blobs)
        self.engine = replace(engine, indexer=self.indexer)
        self.kb, _ = engine.create(name)
        self._pipeline = Pipeline(self.engine, InProcessParser(ParseLimits()), 1_000_000)

    def add(self, uri: str, text: str, metadata: Metadata | None = None) -> Ingested:
        source = Source(uri, f"{uri}.md", text.encode(), metadata=metadata)
        return self._pipeline.ingest(self.kb, source, lambda *_: None, unique=False)

    def upload(self, name: str, text: str) -> Ingested:
        """As `add`, but bytes that are there already aren't added again."""
        source = sources.upload(name, text.encode(), None, None)
        return self._pipeline.ingest(self.kb, source, lambda *_: None)

    def hits(self, query: str, mode: Mode = Mode.HYBRID, k: int = 100) -> tuple[Hit, ...]:
        return self.engine.searcher.search(self.kb, Query(query, k, mode)).hits

    def texts(self, query: str, mode: Mode = Mode.HYBRID) -> dict[str, list[str]]:
        """The texts of the hits by uri, in the order of the document."""
        found: dict[str, list[Hit]] = {}
        for hit in self.hits(query, mode):
            found.setdefault(hit.uri, []).append(hit)
        return {
            uri: [hit.text for hit in sorted(hits, key=lambda hit: hit.chunk.ordinal)]
            for uri, hits in found.items()
        }

    def stored(self) -> tuple[int, int]:
        """How many vectors and postings there are."""
        generation = self.kb.generation.id
        stores = self.engine.stores
        return stores.vectors(generation).count(), stores.lexical(generation).count()
