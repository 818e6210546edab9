"""A knowledge base to write into and search, with ports that fail when they are told to."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection

from ingest import sources
from ingest.parsing import InProcessParser, Parser
from ingest.pipeline import Ingested, Pipeline
from ingest.types import Parsed, ParseLimits, Source
from retrieval.database import Database
from retrieval.engine import Engine
from retrieval.errors import StoreUnavailable
from retrieval.indexing import Indexer
from retrieval.ports import LexicalStore, Posting, Scored, Stores, VectorStore
from retrieval.search import Query
from retrieval.types import Hit, KnowledgeBase, Metadata, Mode, Page, Vector, Vectors

R = TypeVar("R")

SOON = 30.0  # seconds that nothing here takes


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


class PagedParser:
    """Takes what stands between form feeds for pages, labelled with roman numbers."""

    def parse(self, data: bytes, name: str, media_type: str | None = None) -> Parsed:
        parts = data.decode().split("\f")
        starts = [sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
        labels = ["i", "ii", "iii", "iv"]
        pages = map(Page, range(1, len(parts) + 1), starts[:-1], starts[1:], labels)
        return Parsed("".join(parts), "application/pdf", pages=tuple(pages))


class FaultyDatabase(Database):
    """The catalogue of an engine; what would be committed can fail at the last moment."""

    def __init__(self, database: Database, faults: Faults) -> None:
        self._database, self._faults = database, faults

    def read(self) -> Any:
        return self._database.read()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            yield connection
            self._faults.pass_on(lambda: None)


class Arrivals(deque[Any]):
    """A queue that says when something is put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)

    def append(self, item: Any) -> None:
        super().append(item)
        self.arrived.release()


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

    def __init__(self, engine: Engine, name: str = "library", parser: Parser | None = None) -> None:
        self.faults = Faults()
        stores = FaultyStores(engine.stores, self.faults)
        self.indexer = Indexer(FaultyDatabase(engine.database, self.faults), stores, engine.blobs)
        self.engine = replace(engine, indexer=self.indexer)
        self.kb, _ = engine.create(name)
        parser = parser or InProcessParser(ParseLimits())
        self._pipeline = Pipeline(self.engine, parser, 1_000_000)

    def add(
        self,
        uri: str,
        text: str,
        metadata: Metadata | None = None,
        kb: KnowledgeBase | None = None,
    ) -> Ingested:
        source = Source(uri, f"{uri}.md", text.encode(), metadata=metadata)
        return self._pipeline.ingest(kb or self.kb, source, lambda *_: None, unique=False)

    def upload(self, name: str, text: str) -> Ingested:
        """As `add`, but bytes that are there already aren't added again."""
        source = sources.upload(name, text.encode(), None, None)
        return self._pipeline.ingest(self.kb, source, lambda *_: None)

    @contextmanager
    def together(self, *adds: Callable[[], R]) -> Iterator[list[Future[R]]]:
        """Publications that arrive one by one while the writer is held, and is then let go.

        The block runs while all of them wait. They are over when it has ended.
        """
        self.indexer._waiting = waiting = Arrivals()
        go = threading.Event()
        with ThreadPoolExecutor(len(adds)) as pool:
            try:
                self.indexer._writer.submit(go.wait, SOON)
                running: list[Future[R]] = []
                for add in adds:
                    running.append(pool.submit(add))
                    assert waiting.arrived.acquire(timeout=SOON)
                yield running
            finally:
                go.set()

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
