"""Long work that one of two servers over one catalogue does."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import reindexing
from api.service import Service
from retrieval import works
from retrieval.search import Found, Query
from retrieval.types import KnowledgeBase
from tests.api.another_client import beside, service_of
from tests.api.conftest import AddText
from tests.api.replies import assert_problem
from tests.catalogues import on_postgres

pytestmark = on_postgres

ASKED: dict[str, Any] = {
    "source": "questions",
    "questions": [{"question": "warranty of the Kestrel", "document": "notes/1"}],
}
SMALL = {"chunking": {"tokens": 64, "overlap": 8}}
BRIEF = 0.4  # seconds that a lease lasts of which somebody waits for the end


@pytest.fixture
def other(client: TestClient, add_text: AddText, tmp_path: Path) -> Iterator[TestClient]:
    add_text()
    with beside(client, tmp_path / "other") as another:
        yield another


class Held:
    """A step of a server's work that waits until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def wait(self) -> None:
        self.begun.set()
        assert self.go.wait(60)


def hold_search(service: Service) -> Held:
    held, search = Held(), service.engine.searcher.search

    def late(kb: KnowledgeBase, query: Query, *, pinned: bool) -> Found:
        held.wait()
        return search(kb, query, pinned=pinned)

    service.engine.searcher.search = late  # type: ignore[method-assign,assignment]
    return held


def hold_building(service: Service) -> Held:
    held, add = Held(), service.reindexer._reindexing._add

    def late(target: KnowledgeBase, document_id: str) -> None:
        held.wait()
        add(target, document_id)

    service.reindexer._reindexing._add = late  # type: ignore[method-assign]
    return held


def status(client: TestClient, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/kb/kb/{kind}").raise_for_status().json()
    return found


def until(client: TestClient, kind: str, state: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while (found := status(client, kind))["state"] != state:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def test_an_evaluation_here_is_seen_there_and_not_made_twice(
    client: TestClient, other: TestClient
) -> None:
    held = hold_search(service_of(client))
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(60)
    assert until(other, "evaluation", "measuring")["source"] == "questions"
    refused = other.post("/kb/kb/evaluation", json=ASKED)
    assert_problem(refused, 422, "'kb' is being evaluated")
    held.go.set()
    done = until(other, "evaluation", "done")
    assert done == status(client, "evaluation")
    assert done["result"]["questions"] == 1
    page = other.get("/kb/kb/evaluation/report").raise_for_status().text
    assert page == client.get("/kb/kb/evaluation/report").text


def test_a_document_that_is_deleted_there_takes_the_report_along(
    client: TestClient, other: TestClient, add_text: AddText
) -> None:
    shown = add_text("The office serves coffee at nine.", "notes/2")
    wrong = {"question": "coffee at nine", "document": "notes/1"}  # so the report shows the other
    client.post("/kb/kb/evaluation", json={**ASKED, "questions": [wrong]}).raise_for_status()
    assert until(client, "evaluation", "done")["result"]
    other.delete(f"/kb/kb/documents/{shown}").raise_for_status()
    assert status(client, "evaluation")["result"] is None


def test_a_reindexing_here_is_seen_there_and_not_done_twice(
    client: TestClient, other: TestClient
) -> None:
    held = hold_building(service_of(client))
    client.post("/kb/kb/reindex", json=SMALL).raise_for_status()
    assert held.begun.wait(60)
    assert status(other, "reindex")["state"] == "building"
    for method, path in (("POST", ""), ("POST", "/rollback"), ("DELETE", "")):
        body = {"chunking": {"tokens": 128}} if method == "POST" and not path else None
        refused = other.request(method, f"/kb/kb/reindex{path}", json=body)
        assert_problem(refused, 422, "'kb' is being reindexed")
    service_of(other).reindexer._take_up(service_of(other).reindexer._generations.unfinished()[0])
    assert status(other, "reindex")["state"] == "building"
    held.go.set()
    assert until(other, "reindex", "switched") == status(client, "reindex")
    assert other.get("/kb/kb").json()["chunking"] == SMALL["chunking"]


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases end, and are looked for, soon."""
    made = works.Works.__init__
    monkeypatch.setattr(works.Works, "__init__", lambda self, database: made(self, database, BRIEF))
    monkeypatch.setattr(reindexing, "_LOOK", 0.1)


def test_what_a_dead_server_reindexed_is_taken_up_by_another(
    brief: None, client: TestClient, other: TestClient
) -> None:
    dead = service_of(client)
    held = hold_building(dead)
    client.post("/kb/kb/reindex", json=SMALL).raise_for_status()
    assert held.begun.wait(60)
    dead.reindexer._closing.set()  # it looks for nothing any more
    dead.engine.works.close()  # and prolongs nothing
    assert until(other, "reindex", "switched")["error"] == ""
    assert other.get("/kb/kb").json()["chunking"] == SMALL["chunking"]
    held.go.set()
    dead.reindexer._background._threads[dead.engine.open("kb").id].join(60)
    assert status(other, "reindex")["state"] == "switched"


def test_what_a_closing_server_reindexed_is_taken_up_by_another(
    brief: None, client: TestClient, other: TestClient
) -> None:
    closing = service_of(client)
    held = hold_building(closing)
    client.post("/kb/kb/reindex", json=SMALL).raise_for_status()
    assert held.begun.wait(60)
    ending = threading.Thread(target=closing.reindexer.close)
    ending.start()
    assert closing.reindexer._background._closing.wait(60)
    held.go.set()
    ending.join(60)
    until(other, "reindex", "switched")


def test_an_evaluation_whose_server_died_is_told_as_stopped(
    brief: None, client: TestClient, other: TestClient
) -> None:
    dead = service_of(client)
    held = hold_search(dead)
    client.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    assert held.begun.wait(60)
    dead.engine.works.close()
    until(other, "evaluation", "stopped")
    other.post("/kb/kb/evaluation", json=ASKED).raise_for_status()
    until(other, "evaluation", "done")
    held.go.set()
