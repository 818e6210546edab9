"""A knowledge base to write into and search, whose index writer can be made to fail."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import func, select

from ingest import sources
from ingest.parsing import GoOn, InProcessParser, Parser, always
from ingest.pipeline import Ingested, Pipeline
from ingest.types import Parsed, ParseLimits, Source
from retrieval.engine import Engine
from retrieval.indexing import Indexer
from retrieval.schema import chunks
from retrieval.search import Query
from retrieval.types import Hit, KnowledgeBase, Metadata, Mode, Page
from tests.retrieval.faults import Faults, FaultyDatabase, FaultyStores

R = TypeVar("R")

SOON = 120.0  # seconds that nothing here takes


class PagedParser:
    """Takes what stands between form feeds for pages, labelled with roman numbers."""

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        parts = data.decode().split("\f")
        starts = [sum(map(len, parts[:n])) for n in range(len(parts) + 1)]
        labels = ["i", "ii", "iii", "iv"]
        pages = map(Page, range(1, len(parts) + 1), starts[:-1], starts[1:], labels)
        return Parsed("".join(parts), "application/pdf", pages=tuple(pages))


class Arrivals(deque[Any]):
    """A queue that says when something is put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Semaphore(0)

    def append(self, item: Any) -> None:
        super().append(item)
        self.arrived.release()


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

    def upload(self, name: str, text: str, title: str | None = None) -> Ingested:
        """As `add`, but bytes that are there already aren't added again."""
        source = replace(sources.upload(name, text.encode(), None, None), title=title)
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

    def indexed(self) -> int:
        """How many chunks of any version the catalogue holds."""
        with self.engine.database.read() as connection:
            return connection.scalar(select(func.count()).select_from(chunks)) or 0

    def stored(self) -> tuple[int, int]:
        """How many vectors and postings there are, once the stores have followed all removals."""
        self.indexer.settle()
        generation = self.kb.generation.id
        stores = self.engine.stores
        return stores.vectors(generation).count(), stores.lexical(generation).count()
