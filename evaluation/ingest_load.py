"""Ingestion under load: what memory it takes over a long run, and how near it comes to the model.

Documents are PDFs of two pages, sent as jobs, as an upload is.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import mean

from sqlalchemy import func, select

from evaluation.paper import paper
from evaluation.resources import peak_memory, resident_memory
from ingest.jobs import WORKERS, Jobs, Request
from ingest.parsing import ProcessParser
from ingest.pipeline import Pipeline
from ingest.sources import upload
from ingest.types import ParseLimits
from retrieval.engine import Engine, open_engine
from retrieval.schema import chunks
from retrieval.settings import EngineSettings
from retrieval.stretches import TEXT_OF_CHUNK
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings

_PAGES = 2
_MAX_BYTES = 1 << 28
_LOOKS = 100  # at the memory, on the way
_RAW = 400  # texts by which the model's own rate is measured


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured.

    Memory in megabytes, of this process and its parser: the peak of the first fifth of the
    documents, of the others, and of a PDF of many pages. Rates a second: chunks of the
    documents, of those whose vectors are known, and of the model alone on the same texts, every
    fifth of the way. `memory` is what there was after so many documents.
    """

    documents: int
    chunks: int
    pages: int
    warm: float
    steady: float
    long: float
    ingested: float
    raw: float
    cached_documents: float
    memory: tuple[tuple[int, float], ...]

    @property
    def share(self) -> float:
        """Of the model's own rate, what ingestion reaches."""
        return self.ingested / self.raw


def load_test(
    settings: EngineSettings, documents: int, pages: int, watch: Callable[[int], None]
) -> Load:
    """Ingest documents, then a long one, then the documents again with their vectors known."""
    first = documents // 5
    every = max(1, documents // _LOOKS)
    with open_engine(settings) as engine, jobs_over(engine) as jobs:
        engine.embedder.embed_query("warm up")
        # A weight that is given: calibration would embed beside what is measured.
        kb, _ = engine.create("load", KnowledgeBaseSettings(dense_weight=0.5))
        done = 0
        memory: list[tuple[int, float]] = []

        def send(kb: KnowledgeBase, numbers: Sequence[int], length: int = _PAGES) -> float:
            nonlocal done
            began = time.perf_counter()
            requests = [
                Request(upload(f"{n}.pdf", paper(n, length), "application/pdf", None))
                for n in numbers
            ]
            accepted = jobs.submit(kb, requests)
            for job in accepted:
                jobs.wait([job.id])
                done += 1
                watch(done)
                if done % every == 0:
                    memory.append((done, resident_memory()))
            return time.perf_counter() - began

        raw: list[float] = []
        seconds = 0.0
        with peak_memory() as warm:
            send(kb, range(first))
            raw.append(_raw_rate(engine))
        with peak_memory() as steady:
            for at in range(first, documents, first):
                seconds += send(kb, range(at, min(at + first, documents)))
                raw.append(_raw_rate(engine))
        embedded = _chunks(engine) * (documents - first) / documents
        with peak_memory() as long:
            send(kb, [documents], pages)
        again, _ = engine.create("again", kb.settings)
        cached = send(again, range(documents // 2))
    return Load(
        documents=documents,
        chunks=round(embedded * documents / (documents - first)),
        pages=pages,
        warm=warm[0],
        steady=steady[0],
        long=long[0],
        ingested=embedded / seconds,
        raw=mean(raw),
        cached_documents=documents // 2 / cached,
        memory=tuple(memory),
    )


@contextmanager
def jobs_over(engine: Engine, workers: int = WORKERS) -> Iterator[Jobs]:
    """The jobs of an engine, so many at a time, while the block lasts; none: others work."""
    parser = ProcessParser(ParseLimits())
    jobs = Jobs(engine, Pipeline(engine, parser, _MAX_BYTES), workers)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.close()
        parser.close()


def _chunks(engine: Engine) -> int:
    with engine.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(chunks)) or 0


def _texts(engine: Engine, count: int) -> list[str]:
    """What was embedded of some chunks."""
    query = select(chunks.c.context + TEXT_OF_CHUNK).order_by(chunks.c.text_hash).limit(count)
    with engine.database.read() as connection:
        return [*connection.scalars(query)]


def _raw_rate(engine: Engine) -> float:
    """Texts a second through the model alone, all of them queued at once."""
    texts = _texts(engine, _RAW)
    began = time.perf_counter()
    engine.embedder.embed_documents(texts)
    return len(texts) / (time.perf_counter() - began)
