"""Documents embedded by other Footnote servers, which go away and come back; and what was indexed
in one way is searched in the other.
"""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from ingest.jobs import Jobs, Request
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source, Stage
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.footnote import FootnoteBackend
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.servers import ServerSettings
from retrieval.engine import Engine, open_engine
from retrieval.ollama.retry import Retry
from retrieval.search import Query
from retrieval.types import Mode
from tests.catalogues import engine_settings
from tests.integration.conftest import Server, StartServer
from tests.retrieval.embedding.servers import EmbeddingServer, serving

DOCUMENTS = 30
SOON = 60.0  # seconds that nothing here takes

OpenHere = Callable[..., Engine]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddingServer]:
    with serving(tmp_path / "server", HashingBackend()) as server:
        yield server


@pytest.fixture
def open_here(tmp_path: Path) -> Iterator[OpenHere]:
    """Opens engines over one directory, one after the other, that embed at servers, if any."""
    with ExitStack() as last:

        def open_one(*servers: EmbeddingServer) -> Engine:
            last.close()
            urls = tuple(one.url for one in servers)
            told = ServerSettings(urls, rest=Retry(first=0.05, most=0.1), patience=0.0)
            settings = engine_settings(tmp_path / "data", embedding_servers=told)
            return last.enter_context(open_engine(settings))

        yield open_one


def _text(number: int) -> str:
    return f"Subject{number} has the code {number * 7919}."


def _requests() -> list[Request]:
    return [Request(Source(f"doc/{n}", f"{n}.txt", _text(n).encode())) for n in range(DOCUMENTS)]


def _jobs(engine: Engine) -> Jobs:
    jobs = Jobs(engine, Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000), workers=4)
    jobs.start()
    return jobs


def _found(engine: Engine, number: int) -> str:
    kb = engine.open("kb")
    (hit,) = engine.searcher.search(kb, Query(_text(number), 1, Mode.DENSE)).hits
    return hit.uri


@pytest.mark.parametrize("there", [True, False])
def test_what_is_indexed_in_one_way_is_searched_in_the_other(
    open_here: OpenHere, server: EmbeddingServer, there: bool
) -> None:
    ways = [(server,), ()] if there else [(), (server,)]
    engine = open_here(*ways[0])
    kb, _ = engine.create("kb")
    jobs = _jobs(engine)
    ids = [job.id for job in jobs.submit(kb, _requests())]
    assert {job.state for job in jobs.wait(ids, SOON)} == {Stage.DONE}
    jobs.close()
    before = [_found(engine, number) for number in range(DOCUMENTS)]
    other = open_here(*ways[1])
    assert [_found(other, number) for number in range(DOCUMENTS)] == before
    assert before == [f"doc/{number}" for number in range(DOCUMENTS)]


def test_documents_wait_for_servers_that_are_away(
    open_here: OpenHere, server: EmbeddingServer
) -> None:
    engine = open_here(server)
    kb, _ = engine.create("kb")
    jobs = _jobs(engine)
    server.stop()
    ids = [job.id for job in jobs.submit(kb, _requests())]
    for job_id in ids:  # each is put off, and tried again while others are
        until = time.monotonic() + SOON
        while (job := jobs.get(job_id)).retry_at is None:
            assert time.monotonic() < until
            time.sleep(0.01)
        assert (job.state, job.error and job.error.kind) == (
            Stage.QUEUED,
            "ModelServerUnavailable",
        )
    server.requests.clear()
    server.start()
    until = time.monotonic() + SOON
    while any(not jobs.get(job_id).state.final for job_id in ids):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert {jobs.get(job_id).state for job_id in ids} == {Stage.DONE}
    jobs.close()
    _, chunks = engine.knowledge_bases.counts(kb)
    assert server.texts == chunks  # none twice


def test_a_process_whose_servers_are_away_puts_its_first_jobs_off(
    open_here: OpenHere, server: EmbeddingServer
) -> None:
    engine = open_here(server)
    kb, _ = engine.create("kb")
    server.stop()
    engine = open_here(server)  # nothing is needed of them yet
    jobs = _jobs(engine)
    [job] = jobs.submit(kb, _requests()[:1])
    [job] = jobs.wait([job.id], SOON)
    assert (job.state, job.error and job.error.kind) == (Stage.QUEUED, "ModelServerUnavailable")
    server.start()
    until = time.monotonic() + SOON
    while jobs.get(job.id).state is not Stage.DONE:
        assert time.monotonic() < until
        time.sleep(0.1)
    jobs.close()


def test_servers_that_are_killed_cost_no_vector(start_server: StartServer, tmp_path: Path) -> None:
    servers = [start_server(FOOTNOTE_DATA=str(tmp_path / f"server-{n}")) for n in range(2)]
    told = ServerSettings(
        tuple(str(one.http.base_url) for one in servers), rest=Retry(first=0.05, most=0.1)
    )
    embedder = Embedder(FootnoteBackend("hashing", told))
    texts = [f"Text {number} is one of very many. {'It goes on. ' * 9}" for number in range(20_000)]
    with ThreadPoolExecutor(1) as threads:
        vectors = threads.submit(embedder.embed_documents, texts)
        while not (counted := _embedded(servers[0])):
            assert not vectors.done()
        servers[0].stop(signal.SIGKILL)
        assert np.array_equal(vectors.result(SOON), HashingBackend().vectors(texts))
    assert 0 < counted < len(texts)
    assert _embedded(servers[1]) > 0
    embedder.close()


def _embedded(server: Server) -> float:
    """Texts that a server has embedded for others."""
    for line in server.http.get("/metrics").text.splitlines():
        if line.startswith("footnote_embedding_texts_total") and 'lane="call"' in line:
            return float(line.rsplit(" ", 1)[1])
    return 0.0
