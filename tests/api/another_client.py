"""Another application over the same catalogue, as a second process has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from retrieval.embedding.hashing import HashingBackend
from retrieval.ports import EmbeddingBackend
from tests.catalogues import url_of


@contextmanager
def beside(
    client: TestClient, data: Path, backend: EmbeddingBackend | None = None, **settings: Any
) -> Iterator[TestClient]:
    """It has a data directory of its own, in which the originals are the other's."""
    first = service_of(client).settings.data
    data.mkdir()
    (first / "blobs").mkdir(exist_ok=True)
    (data / "blobs").symlink_to(first / "blobs")
    chosen = Settings(data=data, database_url=SecretStr(url_of(first)), **settings)
    app = create_app(chosen, backend or HashingBackend())
    with TestClient(app, str(client.base_url), raise_server_exceptions=False) as another:
        yield another


def service_of(client: TestClient) -> Service:
    found: Service = client.app.state.service  # type: ignore[attr-defined]
    return found
