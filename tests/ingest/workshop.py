"""A knowledge base whose ingestion is counted: what was parsed, what was embedded."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from ingest import sources
from ingest.job_store import Job
from ingest.jobs import Jobs, Request
from ingest.parsing import GoOn, InProcessParser, Parser, always
from ingest.pipeline import Ingested, Pipeline
from ingest.types import Parsed, ParseLimits, Source, Stage
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine
from retrieval.indexing import Published
from retrieval.search import Query
from retrieval.types import KnowledgeBase, Metadata, Mode, Vectors
from tests.conftest import OpenEngine

Step = tuple[Stage, int, int]
NewJobs: TypeAlias = Callable[..., Jobs]

SOON = 120.0  # seconds that nothing here takes


class CountingParser:
    """Parses here and counts; raises `error` instead, if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self.error = error
        self._parser = InProcessParser(ParseLimits())

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        self.calls += 1
        if self.error:
            raise self.error
        return self._parser.parse(data, name, media_type)


class CountingBackend(HashingBackend):
    """Embeds by hashing and keeps what it embedded; fails on texts with "poison" in them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def vectors(self, texts: Sequence[str]) -> Vectors:
        if any("poison" in text for text in texts):
            raise ValueError("poison")
        self.embedded += texts
        return super().vectors(texts)


class Workshop:
    """An engine, a knowledge base and a pipeline whose parsing and embedding are counted."""

    def __init__(self, open_engine: OpenEngine) -> None:
        self.backend = CountingBackend()
        self.parser = CountingParser()
        self.engine: Engine = open_engine(self.backend)
        self.kb, _ = self.engine.create("docs")
        self.steps: list[Step] = []
        self.max_bytes = 10_000

    def pipeline(self, parser: Parser | None = None) -> Pipeline:
        return Pipeline(self.engine, parser or self.parser, self.max_bytes)

    def ingest(self, source: Source, *, unique: bool = True) -> Ingested:
        self.steps.clear()
        return self.pipeline().ingest(
            self.kb, source, lambda *step: self.steps.append(step), unique=unique
        )

    def cost(self, source: Source) -> tuple[Published, int, int]:
        """The outcome, and how many parses and embedded texts it took."""
        parsed, embedded = self.parser.calls, len(self.backend.embedded)
        outcome = self.ingest(source).outcome
        return outcome, self.parser.calls - parsed, len(self.backend.embedded) - embedded

    def found(self, text: str) -> list[str]:
        hits = self.engine.searcher.search(self.kb, Query(text, mode=Mode.LEXICAL)).hits
        return [hit.uri for hit in hits]


def note(uri: str, content: str, title: str | None = None, meta: Metadata | None = None) -> Source:
    return sources.text(uri, content, title, meta)


class Gate(CountingParser):
    """A parser that stops at each file until it is let through."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.open = threading.Event()

    def parse(
        self, data: bytes, name: str, media_type: str | None = None, go_on: GoOn = always
    ) -> Parsed:
        self.reached.set()
        assert self.open.wait(SOON)
        return super().parse(data, name, media_type)


class Watched(Jobs):
    """Says when somebody who waits has looked for the first time."""

    looked: threading.Event

    def get(self, job_id: str) -> Job:
        try:
            return super().get(job_id)
        finally:
            self.looked.set()


@contextmanager
def jobs_of(shop: Workshop) -> Iterator[NewJobs]:
    """Makes jobs of a workshop, closed at the end."""
    made: list[Jobs] = []

    def new(workers: int = 2, parser: Parser | None = None, kind: type[Jobs] = Jobs) -> Jobs:
        made.append(kind(shop.engine, shop.pipeline(parser), workers))
        return made[-1]

    try:
        yield new
    finally:
        for jobs in made:
            jobs.close()


def request(uri: str, text: str) -> Request:
    return Request(note(uri, text), unique=False)


def queued(kb: KnowledgeBase, key: str, document_id: str = "") -> Job:
    """A job as it is accepted."""
    return Job(
        id=key,
        kb_id=kb.id,
        knowledge_base=kb.name,
        uri=f"uri-{key}",
        document_id=document_id or f"document-{key}",
        blob="0" * 64,
        unique=True,
        state=Stage.QUEUED,
        outcome=None,
        done=0,
        total=0,
        error=None,
        attempts=0,
        lapses=0,
        received=True,
        retry_at=None,
        created_at=1.5,
        updated_at=1.5,
    )


def soon(true: Callable[[], bool]) -> None:
    """Wait for what a thread of its own does, beside the jobs."""
    until = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def finished(jobs: Jobs, *accepted: Job) -> list[Stage]:
    return [job.state for job in jobs.wait([job.id for job in accepted], SOON)]
