from typing import Any

import pytest
from starlette.testclient import TestClient

from retrieval.access import Scope
from tests.api.keyholders import MakeKey, at_once, engine_of, make_key
from tests.api.replies import assert_problem

__all__ = ["at_once", "make_key"]


def _token(shows: dict[str, str]) -> dict[str, str]:
    return {"key": shows["Authorization"].removeprefix("Bearer ")}


def test_without_keys_nobody_signs_in(client: TestClient) -> None:
    assert client.get("/session").json() == {"required": False, "key": None}
    assert_problem(client.post("/session", json={"key": "x"}), 422, "no keys")


def test_a_browser_signs_in_and_out(client: TestClient, make_key: MakeKey) -> None:
    key, shows = make_key(Scope.READ, kb="kb")
    assert client.get("/session").json() == {"required": True, "key": None}
    signed = client.post("/session", json=_token(shows))
    cookie = signed.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie
    assert shows["Authorization"].rpartition("_")[2] not in cookie
    assert signed.json()["key"]["id"] == key.id
    told = client.get("/session").json()["key"]
    assert (told["name"], told["knowledge_bases"]) == ("laptop", ["kb"])
    assert client.get("/kb").status_code == 200
    left = client.delete("/session")
    assert left.headers["clear-site-data"] == '"cache"'
    kept = cookie.split(";")[0]
    assert client.get("/kb", headers={"Cookie": kept}).status_code == 401
    assert client.delete("/session").status_code == 204  # nobody is left to go


def test_a_cookie_stays_on_a_safe_connection(make_key: MakeKey, client: TestClient) -> None:
    _, shows = make_key()
    client.base_url = "https://localhost"
    assert "Secure" in client.post("/session", json=_token(shows)).headers["set-cookie"]


@pytest.mark.parametrize("body", [{"key": "fn_x_y"}, {"key": "x"}])
def test_a_wrong_key_signs_nobody_in(
    client: TestClient, make_key: MakeKey, body: dict[str, Any]
) -> None:
    make_key()
    refused = client.post("/session", json=body)
    assert_problem(refused, 401, "isn't known")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "set-cookie" not in refused.headers
    assert engine_of(client).audit.newest(1)[0].route == "/session"


def test_a_session_ends_with_its_key(client: TestClient, make_key: MakeKey) -> None:
    key, shows = make_key()
    client.post("/session", json=_token(shows)).raise_for_status()
    assert client.get("/kb").status_code == 200
    engine_of(client).keys.revoke(key.id)
    assert_problem(client.get("/kb"), 401, "revoked")
    assert client.get("/session").json() == {"required": True, "key": None}
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_another_page_does_nothing_with_a_cookie(
    client: TestClient, make_key: MakeKey, site: str
) -> None:
    _, shows = make_key()
    client.post("/session", json=_token(shows)).raise_for_status()
    assert client.get("/kb", headers={"Sec-Fetch-Site": site}).status_code == 401
    assert client.delete("/kb/kb", headers={"Origin": "http://localhost:9999"}).status_code == 403
    assert client.post("/api/show", json={"model": "kb/kb"}).status_code == 401
    assert client.get("/kb/kb").status_code == 200


def test_signing_in_is_noted(client: TestClient, make_key: MakeKey) -> None:
    key, shows = make_key()
    client.post("/session", json=_token(shows)).raise_for_status()
    [entry] = engine_of(client).audit.newest(10)
    assert (entry.key_id, entry.method, entry.status) == (key.id, "POST", 200)
