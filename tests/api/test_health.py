import sqlite3
import threading

import anyio
import pytest
from starlette.testclient import TestClient

from api import readiness
from api.readiness import FRESH, Readiness, ReadinessWatch
from api.service import Service
from api.version import VERSION
from retrieval.database import Database
from retrieval.embedding.identity import ModelIdentity
from retrieval.errors import StoreUnavailable
from tests.api.replies import assert_problem
from tests.catalogues import on_sqlite
from tests.clock import Clock


def test_health_answers(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_a_balancer_may_ask_for_heads_alone(client: TestClient, path: str) -> None:
    reply = client.head(path)
    assert (reply.status_code, reply.content) == (200, b"")


def test_ready_counts_knowledge_bases(client: TestClient) -> None:
    reply = client.get("/ready").json()
    checks = {check["name"]: (check["ok"], check["detail"]) for check in reply.pop("checks")}
    assert reply == {"status": "ready", "knowledge_bases": 1, "built_with_another_model": []}
    assert checks == {
        "catalogue": (True, "1 knowledge bases"),
        "model": (True, "hashing"),
        "stores": (True, "are empty"),
        "vectors": (True, "0 in kb"),
        "words": (True, "0 in kb"),
    }


def test_not_ready_while_the_catalogue_fails_but_alive(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(database: Database) -> None:
        raise StoreUnavailable("The catalogue failed: disk I/O error.")

    monkeypatch.setattr(Database, "read", broken)
    reply = client.get("/ready")
    assert_problem(reply, 503, "disk I/O")
    assert reply.headers["retry-after"]
    assert client.get("/health").status_code == 200


@on_sqlite
def test_not_ready_when_the_catalogue_is_no_database(client: TestClient, service: Service) -> None:
    service.engine.database.close()
    with sqlite3.connect(service.settings.data / "catalogue.sqlite") as connection:
        connection.execute("DROP TABLE generations")
    connection.close()
    assert_problem(client.get("/ready"), 503, "catalogue")


def test_info_tells_version_model_and_limits(client: TestClient, service: Service) -> None:
    info = client.get("/info").json()
    assert info["version"] == VERSION
    assert info["embedder"]["model"] == "hashing"
    identity = service.engine.embedder.identity
    assert info["embedder"]["fingerprint"] == identity.fingerprint
    assert ModelIdentity.from_json(info["embedder"]["identity"]) == identity
    assert info["embedder"]["exact_name"] == f"hashing:{identity.fingerprint}"
    assert info["limits"]["upload_bytes"] == service.settings.max_upload_bytes
    assert info["limits"]["k"] == 1_000
    assert info["jobs_unfinished"] == 0


@pytest.mark.parametrize(("store", "name"), [("vectors", "vectors"), ("lexical", "words")])
def test_not_ready_while_a_store_fails_and_it_says_which(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch, store: str, name: str
) -> None:
    def broken(*_: object) -> None:
        raise StoreUnavailable("It can't be read: disk I/O error.")

    monkeypatch.setattr(type(service.engine.stores), store, broken)
    reply = client.get("/ready")
    assert_problem(reply, 503, f"{name}: It can't be read")
    assert [check["name"] for check in reply.json()["checks"] if not check["ok"]] == [name]


def test_a_store_that_hangs_is_told_within_seconds(
    client: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(readiness, "PATIENCE", 0.1)
    monkeypatch.setattr(type(service.engine.stores), "lexical", lambda *_: over.wait(60))
    try:
        reply = client.get("/ready")
    finally:
        over.set()
    assert_problem(reply, 503, "words: It doesn't answer within 0.1 seconds")
    assert [check["name"] for check in reply.json()["checks"] if not check["ok"]] == ["words"]


def test_however_many_ask_it_is_looked_once_a_second() -> None:
    clock, looks = Clock(), 0

    async def look() -> Readiness:
        nonlocal looks
        looks += 1
        await anyio.sleep(0.01)
        return Readiness((), ())

    async def main() -> None:
        watch = ReadinessWatch(look, clock)
        for expected in (1, 2):
            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(watch.now)
            assert looks == expected
            clock.now += FRESH

    anyio.run(main)
