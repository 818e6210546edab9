from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api.keyring import REFUSALS
from ingest.jobs import Jobs
from ingest.types import Stage
from retrieval.access import Scope
from retrieval.errors import StoreUnavailable
from tests.api.conftest import AddText
from tests.api.keyholders import MakeKey, at_once, engine_of, make_key
from tests.api.replies import assert_problem

__all__ = ["at_once", "make_key"]

OPENS = ("/", "/health", "/ready", "/session", "/web/main.js", "/api/version")


def test_without_keys_everybody_is_let_in(client: TestClient) -> None:
    for headers in ({}, {"Authorization": "Bearer ollama"}, {"Authorization": "Basic YTpi"}):
        assert client.get("/kb", headers=headers).status_code == 200
        assert client.get("/v1/models", headers=headers).status_code == 200


def test_with_one_nobody_is_without(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key()
    refused = client.get("/kb")
    assert_problem(refused, 401, "Authorization: Bearer")
    assert refused.headers["www-authenticate"] == "Bearer"
    for path in ("/kb", "/metrics", "/info", "/openapi.json", "/jobs", "/nothing"):
        assert client.get(path).status_code == 401
    for path in OPENS:
        assert client.get(path).status_code == 200, path
    assert client.get("/kb", headers=shows).status_code == 200


def test_each_protocol_refuses_in_its_own_words(client: TestClient, make_key: MakeKey) -> None:
    make_key()
    native = client.get("/api/tags")
    assert (native.status_code, set(native.json())) == (401, {"error"})
    openai = client.get("/v1/models")
    assert openai.json()["error"]["type"] == "authentication_error"
    anthropic = client.post("/v1/messages", json={})
    assert anthropic.json()["error"]["type"] == "authentication_error"
    for reply in (native, openai, anthropic):
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"] == "Bearer"


def test_a_browser_may_ask_whether_it_may_ask(client: TestClient, make_key: MakeKey) -> None:
    make_key()
    page = {"Origin": "http://localhost:3000"}
    asked = client.options("/api/chat", headers=page)
    assert (asked.status_code, asked.content) == (204, b"")
    refused = client.get("/api/tags", headers=page)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == page["Origin"]
    assert client.options("/api/chat").status_code == 401


@pytest.mark.parametrize("how", ["revoked", "expired", "wrong"])
def test_a_key_that_is_over_opens_nothing(client: TestClient, make_key: MakeKey, how: str) -> None:
    key, shows = make_key(days=1e-9 if how == "expired" else None)
    if how == "revoked":
        assert client.get("/kb", headers=shows).status_code == 200
        engine_of(client).keys.revoke(key.id)
    if how == "wrong":
        shows = {"Authorization": f"Bearer fn_{key.id}_x"}
    assert_problem(client.get("/kb", headers=shows), 401, "known" if how == "wrong" else how)


def test_the_last_key_leaves_the_door_closed(client: TestClient, make_key: MakeKey) -> None:
    key, shows = make_key()
    engine_of(client).keys.revoke(key.id)
    assert client.get("/kb").status_code == client.get("/kb", headers=shows).status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "body"),
    [
        (Scope.READ, "PUT", "/kb/kb", None),
        (Scope.READ, "POST", "/kb/kb/documents", {"text": "a"}),
        (Scope.READ, "POST", "/api/pull", {"model": "a"}),
        (Scope.WRITE, "GET", "/kb", None),
        (Scope.WRITE, "POST", "/kb/kb/ask", {"question": "a"}),
        (Scope.WRITE, "DELETE", "/kb/kb", None),
        (Scope.ADMIN, "POST", "/kb/kb/search", {"query": "a"}),
        (Scope.ADMIN, "POST", "/api/chat", {"model": "kb/kb"}),
    ],
)
def test_what_a_key_is_not_for_is_refused_with_the_scope_that_it_lacks(
    client: TestClient, make_key: MakeKey, scope: Scope, method: str, path: str, body: Any
) -> None:
    _, shows = make_key(scope)
    reply = client.request(method, path, json=body, headers=shows)
    assert reply.status_code == 403
    assert "lacks the scope '" in reply.text
    assert f"'{scope}'" not in reply.text


def test_who_may_only_write_can_follow_what_they_sent(
    client: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key(Scope.WRITE)
    sent = client.post("/kb/kb/documents?wait=true", json={"text": "Tea."}, headers=shows)
    [job] = sent.json()["jobs"]
    assert client.get(f"/jobs/{job['id']}", headers=shows).json()["state"] == "done"
    assert client.get("/kb/kb/documents", headers=shows).status_code == 403


def test_a_key_for_some_makes_those_and_no_others(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key(kb="mine")
    assert client.put("/kb/mine", headers=shows).status_code == 201
    for name in ("kb", "free"):  # one that is there, one that isn't
        assert_problem(client.put(f"/kb/{name}", headers=shows), 403, "isn't for the knowledge")
        assert client.delete(f"/kb/{name}", headers=shows).status_code == 404
    assert [one["name"] for one in client.get("/kb", headers=shows).json()] == ["mine"]
    for path in ("/metrics", "/api/nothing"):
        assert client.get(path, headers=shows).status_code == 403
    assert client.get("/ready", headers=shows).json()["knowledge_bases"] == 1
    assert client.get("/ready").json() == {"status": "ready"}


def test_counts_leave_out_what_is_not_there(
    client: TestClient, make_key: MakeKey, add_text: AddText
) -> None:
    add_text()
    client.post("/api/chat", json={"model": "kb/kb", "messages": []})
    assert [one["name"] for one in client.get("/api/ps").json()["models"]] == ["kb/kb:latest"]
    _, shows = make_key(kb="mine")
    assert client.get("/jobs", headers=shows).json() == {"counts": {}, "jobs": []}
    assert client.get("/api/ps", headers=shows).json() == {"models": []}


def test_a_key_is_used_as_often_as_it_may_be(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key(rate=3)
    assert [client.get("/kb", headers=shows).status_code for _ in range(3)] == [200] * 3
    for path in ("/kb", "/api/tags", "/v1/models"):
        reply = client.get(path, headers=shows)
        assert reply.status_code == 429
        assert 1 <= int(reply.headers["retry-after"]) <= 61
    assert client.get("/kb", headers=make_key()[1]).status_code == 200


def test_guessing_is_slow_and_holds_up_nobody_who_is_known(
    client: TestClient, make_key: MakeKey
) -> None:
    _, shows = make_key()
    assert client.get("/kb", headers=shows).status_code == 200
    guess = {"Authorization": "Bearer fn_000000000000_x"}
    statuses = [client.get("/kb", headers=guess).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    assert client.post("/session", json={"key": "fn_000000000000_x"}).status_code == 429
    assert client.get("/kb", headers=shows).status_code == 200
    assert client.get("/kb").status_code == 401  # who shows nothing guesses nothing


def test_replies_to_a_key_are_kept_by_nobody_else(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key()
    headers = client.get("/kb", headers=shows).headers
    assert headers["cache-control"] == "private"
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_stream_ends_with_its_key(
    client: TestClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, shows = make_key(Scope.READ)
    engine = engine_of(client)
    looks = 0

    def counts(_self: Jobs, _kb_id: str | None = None) -> dict[Stage, int]:
        nonlocal looks
        looks += 1
        if looks == 3:
            engine.keys.revoke(key.id)
        return {Stage.QUEUED: looks}

    monkeypatch.setattr(Jobs, "counts", counts)
    reply = client.get("/jobs/events", params={"kb": "kb"}, headers=shows)  # which ends
    assert reply.text.count("event: counts") == 1
    assert '"queued": 3' not in reply.text


def test_a_catalogue_that_fails_lets_nobody_in(
    client: TestClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, shows = make_key()

    def failing(_self: object, _token: str) -> None:
        raise StoreUnavailable("The catalogue failed.")

    monkeypatch.setattr("retrieval.keys.ApiKeys.recognised", failing)
    for path in ("/kb", "/api/tags", "/v1/models"):
        assert client.get(path, headers=shows).status_code == 503
    assert client.get("/health").status_code == 200


def test_changes_and_refusals_are_noted_without_their_content(
    client: TestClient, make_key: MakeKey
) -> None:
    client.put("/kb/before")  # nobody is told apart yet
    key, shows = make_key()
    client.post("/kb/kb/documents?wait=true", json={"text": "Tea.", "uri": "u"}, headers=shows)
    client.post("/kb/kb/search", json={"query": "Tea"}, headers=shows)
    client.delete("/kb/kb/documents/none", headers=shows)
    reader, reads = make_key(Scope.READ)
    client.delete("/kb/kb", headers=reads)
    client.get("/kb/kb", headers={"Authorization": "Bearer wrong"})
    client.get("/kb/kb")
    told = [
        (one.key_id, one.method, one.route, one.knowledge_base, one.subject, one.status)
        for one in engine_of(client).audit.newest(100)
    ]
    assert told == [
        ("", "GET", "/kb/{kb}", "kb", "", 401),
        (reader.id, "DELETE", "/kb/{kb}", "kb", "", 403),
        (key.id, "DELETE", "/kb/{kb}/documents/{document_id}", "kb", "none", 404),
        (key.id, "POST", "/kb/{kb}/documents", "kb", "", 200),
    ]


def test_a_flood_of_refusals_is_noted_only_so_often(client: TestClient, make_key: MakeKey) -> None:
    reader, reads = make_key(Scope.READ)
    for _ in range(REFUSALS + 5):
        assert client.delete("/kb/kb", headers=reads).status_code == 403
    assert len(engine_of(client).audit.newest(100, reader.id)) == REFUSALS


def test_doubled_slashes_open_no_way_in_for_cookies(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key()
    token = shows["Authorization"].removeprefix("Bearer ")
    client.post("/session", json={"key": token}).raise_for_status()
    assert client.get("/kb").status_code == 200
    for path in ("/api/tags", "//api/tags", "/v1/models", "//v1/models", "/v1//models"):
        assert client.get(f"{client.base_url}{path}", follow_redirects=False).status_code == 401


def test_a_log_that_fails_fails_no_call(
    client: TestClient, make_key: MakeKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, shows = make_key()

    def failing(_self: object, _entry: object) -> None:
        raise StoreUnavailable("The catalogue is full.")

    monkeypatch.setattr("retrieval.audit.AuditLog.add", failing)
    with capture_logs() as logged:
        assert client.put("/kb/more", headers=shows).status_code == 201
    [told] = [one for one in logged if one["event"] == "not_audited"]
    assert (told["log_level"], told["error"]) == ("error", "The catalogue is full.")
    assert "exc_info" not in told


def test_a_quota_is_told(client: TestClient, make_key: MakeKey) -> None:
    _, shows = make_key(kb="kb", max_documents=1)
    texts = [{"text": text, "uri": text} for text in ("a", "b")]
    reply = client.post("/kb/kb/documents", json={"documents": texts}, headers=shows)
    assert_problem(reply, 403, "up to 1 documents")
    assert (
        client.post("/kb/kb/documents?wait=true", json=texts[0], headers=shows).status_code == 200
    )
