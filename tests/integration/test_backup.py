"""A backup that is taken while a server is written to, and what is restored from it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retrieval.backup import back_up
from retrieval.embedding.cache import forget_unused
from retrieval.engine import Engine, open_engine
from retrieval.inspection import Inspection
from retrieval.originals import originals
from retrieval.restoring import restore
from retrieval.search import Query
from retrieval.settings import EngineSettings
from retrieval.stores.blobs import FileBlobs
from tests.integration.conftest import Server, StartServer

QUERIES = 100  # of each kind
SETTLED = 40  # documents that nobody touches


def _text(number: int, edition: int = 0) -> str:
    words = f"Part {number} of edition {edition} lasts {number * 7 + 3} months. "
    return words * (1 + number % 5) + f"Its code is K{number}X{edition}."


def _fill(server: Server) -> None:
    for kb in ("settled", "moving"):
        server.http.put(f"/kb/{kb}").raise_for_status()
    texts = [{"text": _text(n), "uri": f"part/{n}"} for n in range(SETTLED)]
    reply = server.http.post("/kb/settled/documents?wait=true", json={"documents": texts})
    assert {job["state"] for job in reply.raise_for_status().json()["jobs"]} == {"done"}


@contextmanager
def _writing(server: Server) -> Iterator[threading.Event]:
    """Documents come, change and go; the event is set once some have."""
    stop, under_way = threading.Event(), threading.Event()

    def write() -> None:
        count = 0
        while not stop.is_set():
            number, edition = count % 12, count // 12
            text = {"text": _text(number, edition), "uri": f"part/{number}"}
            reply = server.http.post("/kb/moving/documents?wait=true", json=text)
            (job,) = reply.raise_for_status().json()["jobs"]
            if count % 5 == 4:
                path = f"/kb/moving/documents/{job['document_id']}"
                server.http.delete(path).raise_for_status()
            count += 1
            if count > 12:
                under_way.set()

    writers = [threading.Thread(target=write)]
    for writer in writers:
        writer.start()
    try:
        yield under_way
    finally:
        stop.set()
        for writer in writers:
            writer.join()


def _asked(server: Server, query: str) -> list[tuple[str, float]]:
    reply = server.http.post("/kb/settled/search", json={"query": query})
    hits = reply.raise_for_status().json()["hits"]
    return [(hit["chunk_id"], hit["score"]) for hit in hits]


def _agrees_on_what_moved(engine: Engine) -> None:
    """Of each document the code of the version in the catalogue is found, and no other one."""
    kb = engine.open("moving")
    live = {
        one.uri: engine.documents.get(kb, one.id).text for one in engine.documents.list(kb, 100)
    }
    codes = {text.rpartition(" ")[2].rstrip(".") for text in live.values()}
    everything = [f"K{n}X{edition}" for edition in range(QUERIES) for n in range(12)]
    for code in [*codes, *everything][:QUERIES]:
        hits = engine.searcher.search(kb, Query(code, k=50)).hits
        assert any(code in hit.text for hit in hits) == (code in codes), code
        assert all(hit.text in live[hit.uri] for hit in hits)


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_backup_under_writes_restores_to_one_moment(
    start_server: StartServer, tmp_path: Path, name: str
) -> None:
    server = start_server()
    _fill(server)
    questions = [f"How many months does part {n} last?" for n in range(QUERIES)]
    blobs = FileBlobs(tmp_path / "data" / "blobs")
    with _writing(server) as under_way:
        assert under_way.wait(120)
        made = back_up(tmp_path / "data", blobs, tmp_path / name, "test", 0.0, lambda _: None)
        if name == "backup":  # again, into the same folder
            made = back_up(tmp_path / "data", blobs, tmp_path / name, "test", 0.0, lambda _: None)
        answers = [_asked(server, question) for question in questions]
    assert made.lost == ()
    assert made.documents >= SETTLED
    server.stop()
    settings = EngineSettings(data=tmp_path / "restored", embedding_model="hashing")
    restore(tmp_path / name, settings.data, originals(settings), lambda _: None)
    with open_engine(settings) as engine:
        forget_unused(engine.database)
        found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
        assert [finding for finding in found if not finding.ok] == []
        settled = engine.open("settled")
        for question, expected in zip(questions, answers, strict=True):
            hits = engine.searcher.search(settled, Query(question)).hits
            assert [(hit.chunk.id, hit.score) for hit in hits] == expected
        _agrees_on_what_moved(engine)
