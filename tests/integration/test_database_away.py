"""The server of the catalogue stops and starts: told to all who ask, and got over without hands."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy.engine import make_url

from evaluation.services.postgres import PostgresServer
from evaluation.services.shared import stalled
from retrieval.access import Scope
from retrieval.database import Database
from retrieval.keys import Allowance, ApiKeys
from tests.catalogues import on_postgres
from tests.integration.conftest import Server, StartServer
from tests.postgres import running

pytestmark = on_postgres

_PATIENCE = 60.0  # seconds until all is well again
_SOON = 20.0  # seconds after which something is told or ended, on a loaded machine
_PASSWORD = "correct-horse"  # noqa: S105 - its server asks for none
_TEA = {"uri": "tea", "text": "Tea is served at four."}
_CHAT = {"model": "kb/kb", "messages": [{"role": "user", "content": "When is tea served?"}]}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with running() as found:
        yield found


@pytest.fixture
def server(start_server: StartServer, postgres: PostgresServer) -> Server:
    url = make_url(postgres.url).set(password=_PASSWORD)
    database = Database(url)
    _, token = ApiKeys(database).create("laptop", Allowance(scopes=frozenset(Scope)))
    database.close()
    url_ = url.render_as_string(hide_password=False)
    started = start_server(FOOTNOTE_DATABASE_URL=url_)
    started.http.headers["Authorization"] = f"Bearer {token}"
    started.http.put("/kb/kb").raise_for_status()
    return started


def add(http: httpx.Client, **body: str) -> str:
    reply = http.post("/kb/kb/documents?wait=true", json=body).raise_for_status()
    [job] = reply.json()["jobs"]
    assert job["state"] == "done", job
    return str(job["document_id"])


def found(http: httpx.Client) -> set[str]:
    reply = http.post("/kb/kb/search", json={"query": "tea coffee served"}).raise_for_status()
    return {hit["uri"] for hit in reply.json()["hits"]}


def test_while_it_is_away_all_are_told_to_come_back_and_then_all_is_there(
    server: Server, postgres: PostgresServer
) -> None:
    http, url = server.http, make_url(postgres.url)
    document = add(http, **_TEA)
    postgres.stop("immediate")
    for method, path, body in (
        ("GET", "/api/tags", None),  # as long as the key is still known
        ("GET", "/v1/models", None),
        ("GET", "/kb", None),
        ("PUT", "/kb/other", None),
        ("POST", "/kb/kb/search", {"query": "tea"}),
        ("POST", "/kb/kb/ask", {"question": "When is tea served?"}),
        ("POST", "/kb/kb/documents", {"uri": "coffee", "text": "Coffee is served at nine."}),
        ("GET", f"/kb/kb/documents/{document}", None),
        ("DELETE", f"/kb/kb/documents/{document}", None),
        ("GET", "/jobs", None),
        ("GET", "/ready", None),
        ("POST", "/v1/chat/completions", _CHAT),
        ("POST", "/api/chat", _CHAT | {"stream": False}),
    ):
        reply = http.request(method, path, json=body)
        assert (reply.status_code, path) == (503, path), reply.text
        assert int(reply.headers["Retry-After"]) > 0
        for secret in (_PASSWORD, "postgres", str(url.port), "127.0.0.1"):
            assert secret not in reply.text
    assert http.get("/health").status_code == 200
    postgres.start()
    assert found(http) == {"tea"}
    add(http, uri="coffee", text="Coffee is served at nine.")
    assert found(http) == {"tea", "coffee"}
    assert http.get("/ready").status_code == 200
    server.stop()
    log = server.log.read_text()
    assert _PASSWORD not in log
    assert f"{url.host}:{url.port}" in log
    assert "Traceback" not in log


def test_what_was_accepted_is_ingested_once_it_is_back(
    server: Server, postgres: PostgresServer
) -> None:
    texts = [{"uri": f"tea {n}", "text": f"Tea {n} is served at four."} for n in range(40)]
    accepted = server.http.post("/kb/kb/documents", json={"documents": texts}).raise_for_status()
    for mode in ("fast", "immediate"):
        postgres.stop(mode)
        postgres.start()
    deadline = time.monotonic() + _PATIENCE
    for job in accepted.json()["jobs"]:
        while (now := server.http.get(f"/jobs/{job['id']}")).json()["state"] != "done":
            assert time.monotonic() < deadline, now.text
            time.sleep(0.1)
    listed = server.http.get("/kb/kb/documents", params={"limit": 100}).raise_for_status().json()
    assert len({one["uri"] for one in listed["documents"]}) == len(listed["documents"]) >= 40


def test_while_it_hangs_all_are_told_soon_and_then_all_is_there(
    server: Server, postgres: PostgresServer
) -> None:
    http = server.http
    add(http, **_TEA)
    before = found(http)
    with stalled(postgres):
        for method, path, body in (
            ("GET", "/ready", None),
            ("POST", "/kb/kb/search", {"query": "tea"}),
            ("PUT", "/kb/other", None),
            ("POST", "/kb/kb/documents?wait=true", {"uri": "coffee", "text": "At nine."}),
        ):
            began = time.monotonic()
            reply = http.request(method, path, json=body)
            assert (reply.status_code, path) == (503, path), reply.text
            assert time.monotonic() - began < _SOON
        assert http.get("/health").status_code == 200
    deadline = time.monotonic() + _PATIENCE
    while http.get("/ready").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert found(http) == before


def test_while_it_hangs_a_process_ends_when_it_is_asked_to(
    server: Server, postgres: PostgresServer
) -> None:
    texts = [{"uri": f"tea {n}", "text": f"Tea {n} is served at four."} for n in range(200)]
    with ThreadPoolExecutor() as pool:
        waits = pool.submit(
            server.http.post, "/kb/kb/documents?wait=true", json={"documents": texts}
        )
        while not waits.done() and "done" not in server.http.get("/jobs").text:
            time.sleep(0.05)
        with stalled(postgres):
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(_PATIENCE) == -signal.SIGTERM
            assert time.monotonic() - began < _SOON
        waits.exception()  # it is told something, or cut off
