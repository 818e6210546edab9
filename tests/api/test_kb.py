from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.testclient import TestClient

from retrieval.embedding.hashing import HashingBackend
from tests.api.conftest import AddText, OpenClient
from tests.api.replies import JSON, assert_problem


def test_put_creates_once_and_then_changes_settings(client: TestClient) -> None:
    created = client.put("/kb/docs", json={"dense_weight": 0.25})
    changed = client.put("/kb/docs", json={"chunking": {"tokens": 64, "overlap": 8}})
    assert (created.status_code, changed.status_code) == (201, 200)
    assert created.json()["dense_weight"] == 0.25
    assert changed.json()["chunking"] == {"tokens": 64, "overlap": 8}
    assert client.get("/kb/docs").json() == changed.json()


def test_put_without_settings_keeps_those_it_has(client: TestClient) -> None:
    client.put("/kb/docs", json={"dense_weight": 0.25, "description": "论文 🍵"})
    again = client.put("/kb/docs")
    assert (again.status_code, again.json()["dense_weight"]) == (200, 0.25)
    assert again.json()["description"] == "论文 🍵"


def test_put_with_settings_gives_all_of_them(client: TestClient) -> None:
    client.put("/kb/docs", json={"dense_weight": 0.25, "description": "Papers"})
    changed = client.put("/kb/docs", json={"dense_weight": 0.5}).json()
    assert (changed["dense_weight"], changed["description"]) == (0.5, "")


def test_get_counts_documents_and_chunks(client: TestClient, add_text: AddText) -> None:
    add_text(uri="1")
    add_text(uri="2")
    kb = client.get("/kb/kb").json()
    assert (kb["documents"], kb["chunks"], kb["embedding_model"]) == (2, 2, "hashing")


def test_list_is_ordered_by_name(client: TestClient) -> None:
    client.put("/kb/z")
    client.put("/kb/0.a-b_c")
    assert [kb["name"] for kb in client.get("/kb").json()] == ["0.a-b_c", "kb", "z"]


def test_delete_takes_everything_in_it_along(client: TestClient, add_text: AddText) -> None:
    document = add_text()
    deleted = client.delete("/kb/kb")
    assert (deleted.status_code, deleted.content) == (204, b"")
    client.put("/kb/kb")
    assert client.get("/kb/kb").json()["documents"] == 0
    assert_problem(client.get(f"/kb/kb/documents/{document}"), 404)
    assert client.post("/kb/kb/search", json={"query": "warranty"}).json()["hits"] == []


@pytest.mark.parametrize(
    "name", ["A", "-a", "a.", "a" * 65, "%00", "a%0a", "%F0%9F%98%80", "知识库", "%ED%A0%80"]
)
def test_a_name_that_does_not_fit_is_refused(shared: TestClient, name: str) -> None:
    assert_problem(shared.put(f"/kb/{name}"), 422, "can't name a knowledge base")
    assert_problem(shared.get(f"/kb/{name}"), 404, "no knowledge base")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"dense_weight": 1.01}', "body.dense_weight"),
        ('{"dense_weight": NaN}', "body.dense_weight"),
        ('{"dense_weight": "heavy"}', "body.dense_weight"),
        ('{"chunking": {"tokens": 31}}', "chunking.tokens is 31"),
        ('{"chunking": {"tokens": 1' + "0" * 400 + "}}", "chunking.tokens"),
        ('{"chunking": {"tokens": 64, "overlap": 33}}', "chunking.overlap is 33"),
        ('{"chunking": {"overlap": -1}}', "body.chunking.overlap"),
        ('{"temperature": 1}', "body.temperature"),
        ('{"description": "' + "文" * 2_001 + '"}', "body.description"),
        ('{"description": "\\ud800"}', "body.description"),
        ("[]", "body"),
    ],
)
def test_settings_that_do_not_fit_are_refused(shared: TestClient, body: str, said: str) -> None:
    assert_problem(shared.put("/kb/docs", content=body, headers=JSON), 422, said)
    assert_problem(shared.get("/kb/docs"), 404)


def test_chunking_can_not_change_under_documents(client: TestClient, add_text: AddText) -> None:
    add_text()
    refused = client.put("/kb/kb", json={"chunking": {"tokens": 64}})
    assert_problem(refused, 422, "'kb'", "new knowledge base")
    assert client.get("/kb/kb").json()["chunking"]["tokens"] == 0


def test_clients_that_create_one_at_once_get_the_same_one(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(lambda _: client.put("/kb/new"), range(16)))
    assert sorted(reply.status_code for reply in replies) == [200] * 15 + [201]
    assert len({reply.json()["created_at"] for reply in replies}) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/kb/none"),
        ("DELETE", "/kb/none"),
        ("POST", "/kb/none/search"),
        ("POST", "/kb/none/ask"),
        ("POST", "/kb/none/documents"),
        ("GET", "/kb/none/documents"),
    ],
)
def test_a_knowledge_base_that_is_not_there(shared: TestClient, method: str, path: str) -> None:
    body = {"question": "a"} if path.endswith("ask") else {"query": "a"}
    reply = shared.request(method, path, json=body if method == "POST" else None)
    assert_problem(reply, 404, "'none'")
    assert reply.json()["title"] == "KnowledgeBaseNotFound"


def test_a_knowledge_base_of_another_model_is_refused_with_both_names(
    open_client: OpenClient,
) -> None:
    open_client().put("/kb/kb")
    client = open_client(HashingBackend(dimension=64))
    for path, body in (
        ("search", {"query": "a"}),
        ("ask", {"question": "a"}),
        ("documents", {"text": "a"}),
    ):
        refused = client.post(f"/kb/kb/{path}", json=body)
        assert_problem(refused, 409, "256 dimensions", "64 dimensions")
    assert_problem(client.put("/kb/kb"), 409)
    assert client.get("/ready").json()["built_with_another_model"] == ["kb"]
    assert client.delete("/kb/kb").status_code == 204


def test_one_that_is_to_be_new_takes_nothing_from_one_that_is_there(client: TestClient) -> None:
    new = {"If-None-Match": "*"}
    body = {"description": "First"}
    assert client.put("/kb/new", json=body, headers=new).status_code == 201
    assert_problem(client.put("/kb/new", json={}, headers=new), 412, "'new'")
    assert client.get("/kb/new").json()["description"] == "First"
    assert_problem(client.put("/kb/new", headers={"If-None-Match": '"x"'}), 422, "if-none-match")
