"""A process that only ingests, beside one that only serves."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import Settings
from api.worker import create_worker
from retrieval.embedding.hashing import HashingBackend
from retrieval.ports import EmbeddingBackend
from tests.catalogues import on_postgres, url_of

pytestmark = on_postgres

Create = Callable[[Settings, EmbeddingBackend | None], FastAPI]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Create, int], TestClient]]:
    """Opens applications that share a catalogue and the original bytes."""
    (tmp_path / "blobs").mkdir()
    with ExitStack() as stack:

        def open_one(create: Create, workers: int) -> TestClient:
            data = tmp_path / create.__name__
            data.mkdir()
            (data / "blobs").symlink_to(tmp_path / "blobs")
            url = SecretStr(url_of(tmp_path))
            settings = Settings(data=data, database_url=url, ingest_workers=workers)
            app = create(settings, HashingBackend())
            return stack.enter_context(TestClient(app, "http://localhost"))

        yield open_one


Open = Callable[[Create, int], TestClient]


@pytest.fixture
def server(opened: Open) -> TestClient:
    """One that serves only, with the knowledge base `kb`."""
    server = opened(create_app, 0)
    server.put("/kb/kb").raise_for_status()
    return server


def test_what_one_accepts_the_other_ingests(server: TestClient, opened: Open) -> None:
    text = {"text": "Tea is at four.", "uri": "tea"}
    [accepted] = server.post("/kb/kb/documents", json=text).json()["jobs"]
    worker = opened(create_worker, 2)
    reply = server.post("/kb/kb/documents?wait=true", json={"text": "Cake is at five."})
    assert reply.status_code == 200
    assert [job["outcome"] for job in reply.json()["jobs"]] == ["added"]
    assert server.get(f"/jobs/{accepted['id']}").json()["state"] == "done"
    document = accepted["document_id"]
    assert server.get(f"/kb/kb/documents/{document}/text").text == "Tea is at four."
    ingested = 'footnote_ingested_documents_total{outcome="added"}'
    assert f"{ingested} 2.0" in worker.get("/metrics").text
    assert ingested not in server.get("/metrics").text


def test_who_only_serves_leaves_jobs_to_others(server: TestClient) -> None:
    [job] = server.post("/kb/kb/documents", json={"text": "Tea is at four."}).json()["jobs"]
    assert server.get(f"/jobs/{job['id']}").json()["state"] == "queued"
    assert server.delete(f"/jobs/{job['id']}").json()["state"] == "cancelled"


def test_a_model_is_loaded_for_the_first_document(server: TestClient, opened: Open) -> None:
    worker = opened(create_worker, 2)

    def models() -> list[str]:
        checks = worker.get("/ready").raise_for_status().json()["checks"]
        return [check["detail"] for check in checks if check["name"] == "model"]

    assert models() == ["none was needed yet"]
    server.post("/kb/kb/documents?wait=true", json={"text": "Tea is at four."})
    assert models() == ["hashing"]


def test_a_worker_answers_how_it_is_and_nothing_else(server: TestClient, opened: Open) -> None:
    worker = opened(create_worker, 2)
    assert worker.get("/health").json() == {"status": "ok"}
    for path in ("/", "/info", "/kb", "/kb/kb", "/jobs", "/openapi.json", "/api/tags", "/docs"):
        assert worker.get(path).status_code == 404, path
    assert worker.post("/kb/kb/documents", json={"text": "Tea."}).status_code == 404
