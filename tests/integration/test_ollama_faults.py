"""Documents embedded by an Ollama server that fails in every way: all complete, or it is said
which ones aren't and why; nothing is lost, doubled or embedded wrongly.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import anyio
import numpy as np
import pytest
from sqlalchemy import select

from api.standin.catalogue import default_models
from api.standin.embedding import EmbeddingModel
from api.standin.faults import CRASHED, Fault, Kind
from api.standin.server import create_standin, running
from ingest.job_store import Job
from ingest.jobs import Jobs, Request
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source, Stage
from retrieval.embedding.cache import text_hash, to_vector
from retrieval.engine import Engine, open_engine
from retrieval.ollama.retry import Retry
from retrieval.ollama.settings import OllamaSettings
from retrieval.schema import embeddings
from retrieval.search import Query
from retrieval.settings import EngineSettings
from retrieval.types import Mode

DOCUMENTS = 50
NOW = Retry(first=0.0)

TEXTS = [
    f"Document {number} speaks of subject{number}. Its code is X-{number * 7919}. "
    f"{'It goes on for a while. ' * (number % 5)}"
    for number in range(DOCUMENTS)
]


class Bench:
    """An engine whose embedder is at a stand-in, and what was ingested with it."""

    def __init__(self, engine: Engine, patience: float) -> None:
        self.engine = engine
        self.kb, _ = engine.create("docs")
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), max_bytes=1_000_000)
        self.jobs = Jobs(engine, pipeline, patience=patience)
        self.jobs.start()

    def ingest(self) -> list[Job]:
        """The final state of each document's job."""
        requests = [
            Request(Source(f"doc/{n}", f"{n}.txt", text.encode()), unique=False)
            for n, text in enumerate(TEXTS)
        ]
        submitted = self.jobs.submit(self.kb, requests)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            jobs = self.jobs.wait([job.id for job in submitted], timeout=60)
            if all(job.state.final for job in jobs):
                break
            time.sleep(0.1)  # some are put off
        return jobs

    def check(self, jobs: list[Job]) -> int:
        """Everything that should hold; how many documents are done."""
        assert all(job.state.final for job in jobs)
        done = [job for job in jobs if job.state is Stage.DONE]
        failed = [job for job in jobs if job.state is Stage.FAILED]
        assert len(done) + len(failed) == DOCUMENTS
        assert all(job.error and job.error.message for job in failed)
        documents, chunks = self.engine.knowledge_bases.counts(self.kb)
        assert documents == len(done)
        generation = self.kb.generation.id
        assert self.engine.stores.vectors(generation).count() == chunks
        assert self.engine.stores.lexical(generation).count() == chunks
        self._check_vectors()
        return len(done)

    def _check_vectors(self) -> None:
        """Every vector that is kept is that of its text."""
        right = right_vectors()
        with self.engine.database.read() as connection:
            kept = connection.execute(select(embeddings.c.text_hash, embeddings.c.vector)).all()
        for key, blob in kept:
            assert np.allclose(to_vector(blob), right[key], atol=1e-6)

    def check_search(self) -> None:
        """Each document is found by its own words, by the dense leg alone."""
        for number in range(0, DOCUMENTS, 7):
            query = Query(TEXTS[number], 1, Mode.DENSE)
            (hit,) = self.engine.searcher.search(self.kb, query).hits
            assert hit.uri == f"doc/{number}"


def right_vectors() -> dict[str, np.ndarray]:
    model = EmbeddingModel("right")

    async def embed() -> np.ndarray:
        return (await model.embed(TEXTS_AS_EMBEDDED, 256, False)).vectors

    return dict(zip(map(text_hash, TEXTS_AS_EMBEDDED), anyio.run(embed), strict=True))


# A chunk is embedded with the title of its document before it.
TEXTS_AS_EMBEDDED = [f"{number}\n{text.strip()}" for number, text in enumerate(TEXTS)]

OpenBench = Callable[..., Bench]


@pytest.fixture
def open_bench(tmp_path: Path) -> Iterator[OpenBench]:
    with ExitStack() as stack:

        def opened(url: str, patience: float = 0.0) -> Bench:
            """Without patience what fails is over at once."""
            settings = EngineSettings(
                data=tmp_path / "data",
                embedding_model="ollama:all-minilm",
                ollama=OllamaSettings(host=url, retry=NOW),
            )
            bench = Bench(stack.enter_context(open_engine(settings)), patience)
            stack.callback(bench.jobs.close)
            return bench

        yield opened


EMBED = Fault(Kind.REFUSED, times=1)
PASSING: dict[str, list[Fault]] = {
    "busy": [replace(EMBED, times=3)],
    "crashed once": [replace(EMBED, status=400, text=CRASHED)],
    "loading": [replace(EMBED, status=500, text="Loading model", times=2)],
    "cut in the middle": [Fault(Kind.CUT, times=2)],
    "byte by byte": [Fault(Kind.BYTEWISE, times=2)],
    "slow": [Fault(Kind.SLOW, seconds=0.3, times=3)],
    "zeros once": [Fault(Kind.ZEROS, times=1)],
    "another dimension once": [Fault(Kind.SHORT, times=1)],
    "a vector missing once": [Fault(Kind.FEWER, times=1)],
    "everything, one after the other": [
        Fault(Kind.CUT),
        EMBED,
        Fault(Kind.ZEROS),
        replace(EMBED, status=400, text=CRASHED),
        Fault(Kind.SHORT, skip=1),  # a batch that is answered wrongly twice has failed
        Fault(Kind.FEWER, skip=2),
    ],
}
LASTING: dict[str, Fault] = {
    "busy": EMBED,
    "crashed": replace(EMBED, status=400, text=CRASHED),
    "broken": Fault(Kind.CUT),
    "zeros": Fault(Kind.ZEROS),
    "another dimension": Fault(Kind.SHORT),
    "a vector missing": Fault(Kind.FEWER),
    "unknown model": replace(EMBED, status=404, text='model "all-minilm" not found'),
    "unauthorised": replace(EMBED, status=401, text="unauthorized"),
}


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
def test_what_passes_leaves_no_trace(open_bench: OpenBench, faults: list[Fault]) -> None:
    plan: list[Fault] = []
    with running(create_standin(plan=plan)) as url:
        bench = open_bench(url, patience=60.0)
        plan.extend(faults)
        assert bench.check(bench.ingest()) == DOCUMENTS
        assert not any(fault.times for fault in plan)  # they did happen
        bench.check_search()


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_what_lasts_is_said_and_the_rest_can_be_done_later(
    open_bench: OpenBench, fault: Fault
) -> None:
    plan: list[Fault] = []
    with running(create_standin(plan=plan)) as url:
        bench = open_bench(url)
        plan.append(replace(fault, times=1_000_000, skip=1))
        done = bench.check(bench.ingest())
        assert done < DOCUMENTS
        plan.clear()
        assert bench.check(bench.ingest()) == DOCUMENTS
        bench.check_search()


def test_a_server_whose_queue_is_full_is_asked_again(open_bench: OpenBench) -> None:
    model = EmbeddingModel("all-minilm", seconds=0.002, queue=0)
    with running(create_standin([model])) as url:
        bench = open_bench(url, patience=60.0)
        assert bench.check(bench.ingest()) == DOCUMENTS


def test_a_server_that_goes_away_and_comes_back(open_bench: OpenBench) -> None:
    with running(create_standin()) as url:
        bench = open_bench(url)
    gone = bench.ingest()
    assert bench.check(gone) == 0
    assert all(url in job.error.message for job in gone if job.error)
    with running(create_standin(), int(url.rsplit(":", 1)[1])):
        assert bench.check(bench.ingest()) == DOCUMENTS
        bench.check_search()


def test_a_model_pulled_anew_is_noticed(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.embedding.ollama._CHECK_EVERY", 0.0)
    with running(create_standin()) as url:
        bench = open_bench(url)
    other = [*default_models()[1:], EmbeddingModel("all-minilm", digest="f" * 64)]
    with running(create_standin(other), int(url.rsplit(":", 1)[1])):
        jobs = bench.ingest()
        assert bench.check(jobs) == 0
        assert all("pulled anew" in job.error.message for job in jobs if job.error)
