"""A Chroma server that goes away while Footnote serves, and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluation.services.chroma import ChromaServer
from retrieval.stores import reconnecting
from tests.api.conftest import OpenClient


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    server = ChromaServer(tmp_path / "chroma")
    server.start()
    yield server
    server.stop()


def test_who_searches_meanwhile_is_told_when_to_ask_again(
    open_client: OpenClient, server: ChromaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnecting, "_PATIENCE", 0.1)
    client = open_client(chroma_url=server.url, chroma_database="kept-here")
    client.put("/kb/kb").raise_for_status()
    text = {"text": "Tea is at four.", "uri": "tea"}
    client.post("/kb/kb/documents?wait=true", json=text).raise_for_status()
    asked = {"query": "tea", "mode": "dense"}
    server.stop()
    refused = client.post("/kb/kb/search", json=asked)
    assert (refused.status_code, refused.json()["title"]) == (503, "StoreUnavailable")
    assert int(refused.headers["Retry-After"]) > 0
    for reply in (refused, client.get("/ready")):
        assert reply.status_code == 503
        assert server.url.rpartition(":")[2] not in reply.text
        assert "127.0.0.1" not in reply.text
    server.start()
    hits = client.post("/kb/kb/search", json=asked).raise_for_status().json()["hits"]
    assert [hit["uri"] for hit in hits] == ["tea"]
