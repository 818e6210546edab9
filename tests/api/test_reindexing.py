"""Reindexing through a running server."""

from typing import Any

from starlette.testclient import TestClient

from api.service import Service
from ingest.reindexing import Reindexing
from retrieval.generations import Generations, Wish
from retrieval.types import Chunking
from tests.api.conftest import AddText, OpenClient
from tests.api.replies import assert_problem


def followed(client: TestClient, service: Service, body: dict[str, Any]) -> dict[str, Any]:
    begun = client.post("/kb/kb/reindex", json=body)
    assert begun.status_code == 202, begun.text
    assert begun.json()["state"] == "building"
    service.reindexer.wait("kb")
    status: dict[str, Any] = client.get("/kb/kb/reindex").json()
    return status


def test_a_chunking_is_changed_and_changed_back(
    client: TestClient, service: Service, add_text: AddText
) -> None:
    add_text()
    assert client.get("/kb/kb/reindex").json()["state"] == "none"
    status = followed(client, service, {"chunking": {"tokens": 64, "overlap": 8}})
    assert (status["state"], status["done"], status["total"]) == ("switched", 1, 1)
    assert status["comparison"]["worse"] is False
    assert client.get("/kb/kb").json()["chunking"] == {"tokens": 64, "overlap": 8}
    back = client.post("/kb/kb/reindex/rollback")
    assert back.json()["chunking"] == {"tokens": 0, "overlap": 32}
    assert client.delete("/kb/kb/reindex").status_code == 204
    assert_problem(client.post("/kb/kb/reindex/rollback"), 422, "kept")


def test_what_is_worse_is_refused_unless_forced(client: TestClient, service: Service) -> None:
    texts = [
        {"uri": f"{n}", "text": f"Animal{n} lives in land{n} by river{n}, and eats fruit{n}."}
        for n in range(40)
    ]
    client.post("/kb/kb/documents?wait=true", json={"documents": texts})
    wrong = [{"question": f"animal{n} river{n}", "uri": f"{n}"} for n in range(40)]
    before = client.post("/kb/kb/search", json={"query": "animal7 river7"}).json()["hits"][0]["uri"]
    stores = service.engine.stores
    original = stores.vectors

    class Blind:
        def __init__(self, generation: str) -> None:
            self._store = original(generation)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        def query(self, vector: Any, k: int) -> list[Any]:
            return []

    live = service.engine.open("kb").generation.id
    stores.vectors = lambda g: original(g) if g == live else Blind(g)  # type: ignore[method-assign,assignment]
    status = followed(client, service, {"chunking": {"tokens": 64}, "questions": wrong})
    assert status["state"] == "refused"
    assert status["comparison"]["worse"] is True
    assert status["comparison"]["questions"] == 40
    assert client.get("/kb/kb").json()["chunking"]["tokens"] == 0
    forced = followed(
        client, service, {"chunking": {"tokens": 64}, "questions": wrong, "force": True}
    )
    stores.vectors = original  # type: ignore[method-assign]
    assert forced["state"] == "switched"
    after = client.post("/kb/kb/search", json={"query": "animal7 river7"}).json()["hits"][0]["uri"]
    assert before == after == "7"


def test_what_cannot_be_done_is_said(client: TestClient, add_text: AddText) -> None:
    add_text()
    assert_problem(client.post("/kb/kb/reindex", json={}), 422, "already")
    assert_problem(client.post("/kb/no/reindex", json={}), 404)
    assert_problem(client.post("/kb/kb/reindex", json={"model": "no/such-model"}), 422)
    assert_problem(client.post("/kb/kb/reindex", json={"chunking": {"tokens": 5}}), 422)


def test_what_was_asked_for_survives_a_restart(
    client: TestClient, service: Service, add_text: AddText, open_client: OpenClient
) -> None:
    add_text()
    kb = service.engine.open("kb")
    wish = Wish(force=True, questions=(("warranty", "notes/1"),) * 3)
    reindexing = Reindexing(service.engine)
    reindexing.begin(kb, chunking=Chunking(128, 8))
    reindexing.begin(kb, chunking=Chunking(64, 8), wish=wish)  # the process ends here
    after = open_client()
    resumed: Service = after.app.state.service  # type: ignore[attr-defined]
    resumed.reindexer.wait("kb")
    status = after.get("/kb/kb/reindex").json()
    assert status["state"] == "switched"
    assert status["comparison"]["questions"] == 3
    assert after.get("/kb/kb").json()["chunking"] == {"tokens": 64, "overlap": 8}
    generations = Generations(resumed.engine.database)
    assert len(generations.others(resumed.engine.open("kb"))) == 1
