"""Another application over the same catalogue, as a second process has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from api.service import Service
from api.settings import Settings
from retrieval.embedding.hashing import HashingBackend
from retrieval.ports import EmbeddingBackend

_COMMON = ("database_url", "chroma_url", "chroma_database", "blobs_url")


@contextmanager
def beside(
    client: TestClient, data: Path, backend: EmbeddingBackend | None = None, **settings: Any
) -> Iterator[TestClient]:
    """It has a data directory of its own, and all else in common with the other; of what lies in
    directories that is the originals.
    """
    first = service_of(client).settings
    data.mkdir()
    (first.data / "blobs").mkdir(exist_ok=True)
    (data / "blobs").symlink_to(first.data / "blobs")
    common = {name: getattr(first, name) for name in _COMMON}
    chosen = Settings(data=data, **common, **settings)
    app = create_app(chosen, backend or HashingBackend())
    with TestClient(app, str(client.base_url), raise_server_exceptions=False) as another:
        yield another


def service_of(client: TestClient) -> Service:
    found: Service = client.app.state.service  # type: ignore[attr-defined]
    return found
