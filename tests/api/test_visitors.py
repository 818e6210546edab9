import pytest
from starlette.testclient import TestClient

from tests.api.conftest import OpenClient
from tests.api.replies import assert_problem


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:7373", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:7373"]
)
def test_loopback_answers_to_its_own_names(shared: TestClient, host: str) -> None:
    assert shared.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "a@localhost", "[::1"],
)
def test_a_name_that_was_made_to_resolve_to_loopback_reads_nothing(
    shared: TestClient, host: str
) -> None:
    reply = shared.get("/kb/kb/documents", headers={"Host": host})
    assert_problem(reply, 403, "FOOTNOTE_ALLOWED_HOSTS")


def test_other_names_are_answered_when_they_are_set(open_client: OpenClient) -> None:
    client = open_client(allowed_hosts="docs.example, wiki.example")
    for host, status in (("docs.example:80", 200), ("wiki.example", 200), ("x.example", 403)):
        assert client.get("/health", headers={"Host": host}).status_code == status


def test_beyond_loopback_the_server_may_be_called_anything(open_client: OpenClient) -> None:
    client = open_client(host="0.0.0.0", allow_anonymous=True)
    assert client.get("/health", headers={"Host": "docs.example"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999", ""])
def test_a_page_from_elsewhere_changes_nothing(client: TestClient, origin: str) -> None:
    headers = {"Origin": origin}
    reply = client.post("/kb/kb/documents", files={"files": ("a.txt", b"text")}, headers=headers)
    assert_problem(reply, 403, "may not change")
    assert_problem(client.delete("/kb/kb", headers=headers), 403)
    assert client.get("/kb/kb", headers=headers).json()["documents"] == 0


def test_our_own_page_changes_things(client: TestClient) -> None:
    reply = client.put("/kb/more", headers={"Origin": "http://localhost", "Host": "localhost"})
    assert reply.status_code == 201
