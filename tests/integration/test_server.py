"""The whole as people run it: `footnote serve` and HTTP."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.integration.conftest import Server, StartServer

LONG = "The warranty of part {n} lasts {n} months. 第{n}号零件保修{n}个月。\n\n"


def _text(number: int, paragraphs: int = 1) -> str:
    return "".join(LONG.format(n=f"{number}-{at}") for at in range(paragraphs))


def _send(server: Server, *, count: int, paragraphs: int) -> list[str]:
    """The ids of accepted jobs."""
    documents = [{"text": _text(n, paragraphs), "uri": f"part/{n}"} for n in range(count)]
    reply = server.http.post("/kb/kb/documents", json={"documents": documents})
    assert reply.status_code == 202, reply.text
    return [job["id"] for job in reply.json()["jobs"]]


def _follow(server: Server, job_id: str) -> str:
    """The last event of a job."""
    reply = server.http.get(f"/jobs/{job_id}/events").raise_for_status()
    return reply.text.rstrip().split("\n\n")[-1]


def _search(server: Server, query: str, **more: Any) -> list[dict[str, Any]]:
    reply = server.http.post("/kb/kb/search", json={"query": query, **more})
    hits: list[dict[str, Any]] = reply.raise_for_status().json()["hits"]
    return hits


def test_upload_search_ask_and_nothing_is_written_elsewhere(
    start_server: StartServer, home: Path, tmp_path: Path
) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()
    files = {"files": ("茶歇.txt", "The office serves tea at four 🍵.".encode())}
    sent = server.http.post("/kb/kb/documents?wait=true", files=files).json()["jobs"]
    assert [job["outcome"] for job in sent] == ["added"]
    assert [hit["uri"] for hit in _search(server, "tea")] == ["茶歇.txt"]
    question = {"question": "When does the office serve tea?"}
    answer = server.http.post("/kb/kb/ask", json=question).json()
    (citation,) = answer["citations"]
    text = server.http.get(f"/kb/kb/documents/{citation['document_id']}/text").text
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert server.stop() in (0, -signal.SIGTERM)
    assert list(home.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "data", "server-0.log"}
    assert "Traceback" not in server.log.read_text()


def test_uploads_and_searches_at_once(start_server: StartServer) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()

    def upload(number: int) -> list[dict[str, Any]]:
        files = {"files": (f"{number % 20}.txt", _text(number % 20, 3).encode())}
        reply = server.http.post("/kb/kb/documents?wait=true", files=files)
        jobs: list[dict[str, Any]] = reply.raise_for_status().json()["jobs"]
        return jobs

    with ThreadPoolExecutor(24) as threads:
        uploads = [threads.submit(upload, number) for number in range(40)]
        searches = [threads.submit(_search, server, f"part {n}", k=50) for n in range(40)]
        jobs = [job for upload in uploads for job in upload.result(60)]
        found = [search.result(60) for search in searches]
    assert {job["state"] for job in jobs} == {"done"}
    assert all(len({hit["chunk_id"] for hit in hits}) == len(hits) for hits in found)
    documents = server.http.get("/kb/kb/documents").json()
    assert documents["total"] == len({job["document_id"] for job in jobs}) == 20
    assert len({hit["uri"] for hit in _search(server, "warranty", k=1_000)}) == 20


def test_what_was_accepted_survives_a_kill(start_server: StartServer) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()
    ids = _send(server, count=40, paragraphs=30)
    assert '"done"' in _follow(server, ids[0])
    assert server.http.get("/info").json()["jobs_unfinished"] > 0
    server.stop(signal.SIGKILL)
    again = start_server()
    for job_id in ids:
        assert '"state": "done"' in _follow(again, job_id)
    listed = again.http.get("/kb/kb/documents").json()
    assert [document["uri"] for document in listed["documents"]] == sorted(
        f"part/{n}" for n in range(40)
    )
    chunks = again.http.get("/kb/kb").json()["chunks"]
    hits = _search(again, "warranty", k=1_000)
    assert len(hits) == len({hit["chunk_id"] for hit in hits}) == chunks
    for hit in hits[::97]:
        text = again.http.get(f"/kb/kb/documents/{hit['document_id']}/text").text
        assert text[hit["start"] : hit["end"]] == hit["text"]


def test_a_term_signal_ends_it_cleanly_with_jobs_at_work(start_server: StartServer) -> None:
    server = start_server(FOOTNOTE_INGEST_WORKERS="1")
    server.http.put("/kb/kb").raise_for_status()
    ids = _send(server, count=30, paragraphs=60)
    assert '"done"' in _follow(server, ids[0])
    assert server.stop() in (0, -signal.SIGTERM)
    log = server.log.read_text()
    assert "Application shutdown complete" in log
    assert "Traceback" not in log
    again = start_server()
    assert all('"state": "done"' in _follow(again, job_id) for job_id in ids)


def test_a_term_signal_does_not_wait_for_those_who_follow(start_server: StartServer) -> None:
    server = start_server(FOOTNOTE_INGEST_WORKERS="1")
    server.http.put("/kb/kb").raise_for_status()
    ids = _send(server, count=60, paragraphs=1_000)
    with ThreadPoolExecutor(2) as threads:
        with server.http.stream("GET", f"/jobs/{ids[-1]}/events") as events:
            next(events.iter_text())
            text = {"text": _text(99, 200)}
            waiting = threads.submit(server.http.post, "/kb/kb/documents?wait=true", json=text)
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(30) in (0, -signal.SIGTERM)
        waiting.exception(30)
    assert start_server().http.get("/info").json()["jobs_unfinished"] > 0


def test_a_knowledge_base_keeps_its_model_when_the_default_changes(
    start_server: StartServer,
) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()
    server.http.post("/kb/kb/documents?wait=true", json={"text": "Tea is at four."})
    server.stop()
    other = start_server(
        FOOTNOTE_EMBEDDING_MODEL="all-MiniLM-L6-v2",
        FOOTNOTE_EMBEDDING_BACKEND="torch",  # so that none is chosen by trial
    )
    found = other.http.post("/kb/kb/search", json={"query": "tea", "mode": "dense"}).json()
    assert [hit["text"] for hit in found["hits"]] == ["Tea is at four."]
    assert other.http.get("/ready").json()["built_with_another_model"] == []
    assert other.http.get("/kb/kb").json()["embedding_model"] == "hashing"
    assert other.http.put("/kb/new").json()["embedding_model"] == "all-MiniLM-L6-v2"


def test_those_who_listen_do_not_keep_a_server_from_stopping(start_server: StartServer) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()
    with server.http.stream("GET", "/jobs/events?kb=kb") as stream:
        assert next(stream.iter_lines()) == "event: queue"
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        server.process.wait(30)
    assert time.monotonic() - began < 4  # what an answer on its way is given is 5 s
    assert "Traceback" not in server.log.read_text()
