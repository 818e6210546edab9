"""A corpus in a knowledge base of its own, by the same way in that every document takes."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from evaluation.beir import Entry
from ingest import sources
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Stage
from retrieval.engine import Engine, open_engine
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings

NAME = "corpus"  # of the knowledge base

_SIDE_BY_SIDE = 16  # short documents in hand, so that the embedder finds full batches
_MAX_BYTES = 1 << 30


@contextmanager
def indexed(
    corpus: Iterable[Entry],
    model: str,
    on_progress: Callable[[int], None],
    data: Path | None = None,
    kb_settings: KnowledgeBaseSettings | None = None,
    like: EngineSettings | None = None,
) -> Iterator[tuple[Engine, KnowledgeBase]]:
    """An engine and the knowledge base "corpus" with these texts, each with its id as its uri.

    In a directory that is deleted afterwards, unless `data` names one to keep; in all else the
    engine is set `like` another.
    """
    with TemporaryDirectory(prefix="footnote-eval-") as aside:
        place = data or Path(aside)
        settings = replace((like or EngineSettings(place)).aside(place), embedding_model=model)
        with open_engine(settings) as engine:
            kb, _ = engine.create(NAME, kb_settings)
            pipeline = Pipeline(engine, InProcessParser(ParseLimits()), _MAX_BYTES)

            def one(entry: Entry) -> None:
                source = sources.text(entry.id, entry.text, entry.title or None, None)
                pipeline.ingest(kb, source, _quietly, unique=False)

            with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
                filled = (entry for entry in corpus if entry.text.strip())
                for done, _ in enumerate(pool.map(one, filled), start=1):
                    on_progress(done)
            pipeline.calibrate(kb)
            yield engine, kb


def _quietly(_stage: Stage, _done: int, _total: int) -> None:
    """Progress that nobody watches."""
