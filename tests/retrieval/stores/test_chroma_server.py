"""The same contract against a real Chroma server, on a free port of this machine."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from retrieval.errors import StoreUnavailable
from retrieval.stores.chroma import ChromaVectorStores
from tests.contracts.vector_store import NewVectorStore, VectorStoreContract, unit_vectors

CHROMA = Path(sys.executable).with_name("chroma")
RETRIES = 7  # with httpx's own pauses of 0, 0.5, 1, 2 ... s; it takes 0.6 s to start here

pytestmark = pytest.mark.skipif(not CHROMA.exists(), reason="chromadb installed no server")


class Server:
    """A `chroma run` process that answers."""

    def __init__(self, directory: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(  # noqa: S603 - our own arguments
            [CHROMA, "run", "--path", directory, "--host", "127.0.0.1", "--port", str(port)],
            env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        with httpx.Client(transport=httpx.HTTPTransport(retries=RETRIES)) as client:
            client.get(f"{self.url}/api/v2/heartbeat").raise_for_status()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("chroma"))
    yield running
    running.stop()


class TestChromaVectorStoreAtAServer(VectorStoreContract):
    exact = False

    @pytest.fixture
    def stores(self, server: Server) -> Iterator[ChromaVectorStores]:
        opened = ChromaVectorStores.at_server(server.url)
        yield opened
        for name in opened.names():
            opened.drop(name)
        opened.close()

    @pytest.fixture
    def new_store(self, stores: ChromaVectorStores) -> NewVectorStore:
        numbers = count()
        return lambda: stores.open(f"store-{next(numbers)}")


def test_all_stores_are_listed(server: Server) -> None:
    stores = ChromaVectorStores.at_server(server.url)
    names = [f"many-{n:03}" for n in range(120)]
    for name in names:
        stores.open(name)
    assert stores.names() == names
    for name in names:
        stores.drop(name)
    stores.close()


def test_a_server_that_stops_is_unavailable(tmp_path: Path) -> None:
    server = Server(tmp_path)
    stores = ChromaVectorStores.at_server(server.url)
    store = stores.open("store")
    store.upsert(["a"], unit_vectors(1), ["d"])
    server.stop()
    with pytest.raises(StoreUnavailable, match="Chroma server at http"):
        store.query(unit_vectors(1)[0], 1)
    stores.close()
