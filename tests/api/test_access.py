import json
import re
from collections.abc import Iterator

import pytest
import structlog
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from api.access import Access
from api.log import configure
from api.metrics.registry import Metrics
from ingest.pipeline import Pipeline
from retrieval.search import Searcher
from tests.api.conftest import OpenClient
from tests.api.replies import assert_problem, upload

WORD = "zeugma"  # in everything that is asked and sent


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    configure("info", "json")
    yield capsys
    structlog.reset_defaults()


@pytest.mark.parametrize("given", ["r-1", "0af7651916cd43dd8448eb211c80319c", "a" * 128])
def test_an_id_that_is_sane_is_taken(
    client: TestClient, logged: pytest.CaptureFixture[str], given: str
) -> None:
    reply = client.get("/kb/nope", headers={"X-Request-ID": given})
    assert reply.headers["x-request-id"] == given
    assert reply.json()["request_id"] == given
    (line,) = [one for one in lines(logged) if one["event"] == "request"]
    assert line["request_id"] == given


@pytest.mark.parametrize("given", ["", "a" * 129, "a b", "-x", "<script>", "ü", 'a"b', "a\tb"])
def test_another_is_made_anew(client: TestClient, given: str) -> None:
    replies = [client.get("/health", headers={b"X-Request-ID": given.encode()}) for _ in range(2)]
    made = [reply.headers["x-request-id"] for reply in replies]
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in made)
    assert made[0] != made[1]


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/api/chat", "/nope", "/web/main.js"])
def test_every_interface_gives_one(client: TestClient, path: str) -> None:
    assert client.get(path).headers["x-request-id"]


def test_a_line_a_request_tells_how_it_went(
    client: TestClient, logged: pytest.CaptureFixture[str]
) -> None:
    body = {"query": WORD}
    client.post("/kb/kb/search?x=1", json=body, headers={"X-Request-ID": "r-2"})
    (line,) = [one for one in lines(logged) if one["event"] == "request"]
    told = ("method", "path", "route", "status", "request_id", "client", "level")
    assert [line[name] for name in told] == [
        "POST", "/kb/kb/search", "/kb/{kb}/search", 200, "r-2", "testclient", "info",
    ]  # fmt: skip
    assert 0 < float(str(line["first_byte_ms"])) <= float(str(line["ms"]))
    assert int(str(line["bytes"])) > 0


def test_probes_are_told_only_where_they_fail(
    client: TestClient, logged: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/health", "/ready", "/metrics"):
        assert client.get(path).status_code == 200
    assert lines(logged) == []


def test_what_people_ask_and_send_is_in_no_line(
    open_client: OpenClient, logged: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_client()
    client.put("/kb/kb", json={"description": WORD, "system_prompt": WORD})
    said = {"text": f"The {WORD} is at four.", "title": WORD, "metadata": {"a": WORD}}
    client.post("/kb/kb/documents?wait=true", json={**said, "uri": WORD}).raise_for_status()
    upload(client, WORD.encode(), f'name="files"; filename="{WORD}.pdf"'.encode())
    for name in ("search", "ask"):
        question = {"query" if name == "search" else "question": f"When is the {WORD}?"}
        assert WORD in client.post(f"/kb/kb/{name}", json=question).text
        client.post(f"/kb/kb/{name}", json={**question, "k": WORD})
        client.post(f"/kb/kb/{name}", json={**question, "filter": {"$" + WORD: 1}})
    client.get(f"/kb/kb/documents?search={WORD}", headers={"X-Note": WORD})
    messages = [{"role": "user", "content": f"When is the {WORD}?"}]
    for path in ("/api/chat", "/v1/chat/completions"):
        assert WORD in client.post(path, json={"model": "kb/kb", "messages": messages}).text

    def broken(*_: object) -> None:
        raise ValueError(WORD)

    monkeypatch.setattr(Searcher, "search", broken)
    assert_problem(client.post("/kb/kb/search", json={"query": WORD}), 500)
    assert client.post("/api/chat", json={"model": "kb/kb", "messages": messages}).is_error
    monkeypatch.setattr(Pipeline, "ingest", broken)
    client.post("/kb/kb/documents?wait=true", json={"text": WORD})
    told = lines(logged)
    assert {"request", "unexpected_error", "ingest_failed"} <= {str(one["event"]) for one in told}
    assert WORD not in str(told)


async def _breaks_off(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"some", "more_body": True})
    raise ValueError(WORD)


def test_a_reply_that_breaks_off_is_told_as_such(logged: pytest.CaptureFixture[str]) -> None:
    app = Access(_breaks_off, Metrics().requests)
    with pytest.raises(ValueError, match=WORD):
        TestClient(app).get("/x")
    broken, line = lines(logged)
    assert (broken["event"], line["broke_off"]) == ("reply_broke_off", True)
    assert broken["request_id"] == line["request_id"]
