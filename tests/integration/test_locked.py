"""Another process holds a file of the data directory: said, and got over without hands."""

import time
from pathlib import Path

import pytest

from tests.another_process import holding
from tests.integration.conftest import Server, StartServer

VECTORS, CATALOGUE = "data/chroma/chroma.sqlite3", "data/catalogue.sqlite"
_PATIENCE = 60.0  # seconds until all is well again
_SOON = 3.0  # seconds that a server which doesn't stand still takes for a word
_MILL = {"uri": "mill", "text": "The keeper of the mill is called Agda Lindqvist."}
_QUERY = {"query": "keeper of the mill"}


@pytest.fixture
def server(start_server: StartServer) -> Server:
    started = start_server()
    started.http.put("/kb/kb").raise_for_status()
    first = {"uri": "first", "text": "The keeper of the light is called Ture."}
    started.http.post("/kb/kb/documents?wait=true", json=first).raise_for_status()
    return started


def _found(server: Server) -> set[str]:
    reply = server.http.post("/kb/kb/search", json=_QUERY).raise_for_status()
    return {hit["uri"] for hit in reply.json()["hits"]}


def _is_whole(server: Server) -> bool:
    """Whether all is found, and `/ready`, which looks once a second, says so."""
    return _found(server) == {"first", "mill"} and server.http.get("/ready").status_code == 200


def _goes_on(server: Server) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not _is_whole(server):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    server.stop()
    assert "Traceback" not in server.log.read_text()


def _is_awake(server: Server) -> None:
    began = time.monotonic()
    assert server.http.get("/health").status_code == 200
    assert time.monotonic() - began < _SOON


def test_vectors_that_are_held_are_searched_and_filled_when_they_are_let_go(
    server: Server, tmp_path: Path
) -> None:
    with holding(tmp_path / VECTORS) as process:
        server.http.post("/kb/kb/documents", json=_MILL).raise_for_status()
        _is_awake(server)
        refused = server.http.post("/kb/kb/search", json=_QUERY)
        assert refused.status_code == 503
        assert f"Process {process} has locked" in refused.json()["detail"]
        assert server.http.get("/ready").status_code == 503
        _is_awake(server)
    _goes_on(server)


def test_a_catalogue_that_is_held_is_read_and_takes_no_writes(
    server: Server, tmp_path: Path
) -> None:
    with holding(tmp_path / CATALOGUE):
        refused = server.http.post("/kb/kb/documents", json=_MILL)
        assert refused.status_code == 503
        assert "locked" in refused.json()["detail"]
        assert int(refused.headers["retry-after"]) > 0
        _is_awake(server)
        assert _found(server) == {"first"}
    server.http.post("/kb/kb/documents", json=_MILL).raise_for_status()
    _goes_on(server)


@pytest.mark.parametrize("file", [VECTORS, CATALOGUE])
def test_a_start_says_what_is_held_and_throws_nothing_away(
    start_server: StartServer, server: Server, tmp_path: Path, file: str
) -> None:
    server.stop()
    (tmp_path / "data/stores.json").unlink()  # so that the stores are looked through
    index = sorted((tmp_path / "data/chroma").rglob("*.bin"))
    assert index
    with holding(tmp_path / file), pytest.raises(AssertionError) as failure:
        start_server()
    assert "locked" in str(failure.value)
    assert "Traceback" not in str(failure.value)
    assert sorted((tmp_path / "data/chroma").rglob("*.bin")) == index
    assert _found(start_server()) == {"first"}
