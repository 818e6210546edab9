"""The composition of the whole: the engine, the way in, and the jobs."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.evaluating import Evaluator
from api.reindexing import Reindexer
from api.settings import Settings
from api.stopping import Stopping
from ingest.fetching import Fetcher, Web
from ingest.highlighting import Highlighter
from ingest.jobs import Jobs
from ingest.parsing import ProcessParser
from ingest.pipeline import Pipeline
from retrieval.answering import Basis, Question
from retrieval.engine import Engine, open_engine
from retrieval.observing import Observer
from retrieval.ports import EmbeddingBackend, Threads
from retrieval.responding import whole
from retrieval.types import Answer, KnowledgeBase, Piece

_FETCH = 60.0  # seconds that fetching a document may take


@dataclass(frozen=True, slots=True)
class Service:
    """All that the routes and the command line call."""

    settings: Settings
    engine: Engine
    pipeline: Pipeline
    jobs: Jobs
    highlighter: Highlighter
    reindexer: Reindexer
    evaluator: Evaluator
    fetcher: Web | None
    stopping: Stopping

    def stream(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads
    ) -> AsyncGenerator[Basis | Piece | Answer]:
        """See `Responding.stream`. Raises ServerStopping too."""
        return self.stopping.until(self.engine.responding.stream(kb, question, model, threads))

    async def answer(
        self, kb: KnowledgeBase, question: Question, model: str, threads: Threads
    ) -> Answer:
        """The whole answer. Raises RetrievalError, ServerStopping."""
        return await whole(self.stream(kb, question, model, threads))

    def remove_knowledge_base(self, kb: KnowledgeBase) -> None:
        """Forget a knowledge base, and stop what is on its way to it."""
        self.engine.indexer.remove_knowledge_base(kb)
        self.jobs.abandon(kb)


@contextmanager
def open_service(
    settings: Settings,
    backend: EmbeddingBackend | None = None,
    observer: Observer | None = None,
) -> Iterator[Service]:
    """The service over the data directory of these settings. See `open_engine` for errors."""
    with open_engine(settings.engine(), backend, observer=observer) as engine:
        parser = ProcessParser(settings.parse_limits())
        viewer = ProcessParser(settings.parse_limits())  # so that readers don't wait for writers
        pipeline = Pipeline(engine, parser, settings.max_upload_bytes)
        jobs = Jobs(engine, pipeline, settings.ingest_workers, most=settings.ingest_total)
        reindexer, evaluator = Reindexer(engine), Evaluator(engine)
        highlighter = Highlighter(engine, viewer)
        fetcher = Fetcher(settings.max_upload_bytes, _FETCH) if settings.fetch_urls else None
        try:
            yield Service(
                settings=settings,
                engine=engine,
                pipeline=pipeline,
                jobs=jobs,
                highlighter=highlighter,
                reindexer=reindexer,
                evaluator=evaluator,
                fetcher=fetcher,
                stopping=Stopping(),
            )
        finally:
            jobs.stop()
            reindexer.close()
            evaluator.close()
            parser.close()  # so that no job has to finish a long file first
            viewer.close()
            jobs.close()
