"""The application over a temporary directory, with the hashing embedder."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from retrieval.embedding.hashing import HashingBackend
from retrieval.ports import EmbeddingBackend
from tests.catalogues import url_of
from tests.shared_stores import blobs_of, chroma_of

OpenClient = Callable[..., TestClient]
AddText = Callable[..., str]

HERE = "http://localhost"

SERVICE_TEXT = (
    "The warranty of the Kestrel lasts twenty-four months. Batteries are covered for six months. "
    "退货运费由卖家承担。运费险的理赔时限是七天。 The office serves tea at four 🍵."
)


def _kept_in(data: Path) -> dict[str, Any]:
    chroma = chroma_of(data)
    return {
        "data": data,
        "database_url": SecretStr(url_of(data)),
        "chroma_url": chroma.url,
        "chroma_database": chroma.database,
        "blobs_url": blobs_of(data),
    }


@pytest.fixture
def open_client(tmp_path: Path) -> Iterator[OpenClient]:
    """Opens the application, by default over one directory; another closes the one before."""
    with ExitStack() as last:

        def open_one(backend: EmbeddingBackend | None = None, **settings: Any) -> TestClient:
            last.close()
            chosen = Settings(**_kept_in(settings.pop("data", tmp_path / "data")) | settings)
            app = create_app(chosen, backend or HashingBackend())
            return last.enter_context(TestClient(app, HERE, raise_server_exceptions=False))

        yield open_one


@pytest.fixture
def client(open_client: OpenClient) -> TestClient:
    """A client with the empty knowledge base `kb`."""
    client = open_client()
    client.put("/kb/kb").raise_for_status()
    return client


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client for the requests of a module that change nothing, with a text in `kb`."""
    kept = _kept_in(tmp_path_factory.mktemp("shared"))
    settings = Settings(**kept, max_upload_bytes=2_000_000)
    app = create_app(settings, HashingBackend())
    with TestClient(app, HERE, raise_server_exceptions=False) as client:
        client.put("/kb/kb").raise_for_status()
        body = {"text": SERVICE_TEXT, "uri": "notes/1", "metadata": {"year": 2026}}
        client.post("/kb/kb/documents?wait=true", json=body).raise_for_status()
        yield client


@pytest.fixture
def service(client: TestClient) -> Service:
    """What that client talks to."""
    found: Service = client.app.state.service  # type: ignore[attr-defined]
    return found


@pytest.fixture
def add_text(client: TestClient) -> AddText:
    """Adds a text, waits, and gives the id of the document."""

    def add(text: str = SERVICE_TEXT, uri: str = "notes/1", **more: Any) -> str:
        body = {"text": text, "uri": uri, **more}
        (job,) = client.post("/kb/kb/documents?wait=true", json=body).json()["jobs"]
        assert job["state"] == "done", job
        document_id: str = job["document_id"]
        return document_id

    return add
