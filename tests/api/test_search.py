import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api.conftest import SERVICE_TEXT, AddText
from tests.api.replies import JSON, assert_problem

KEYS = st.sampled_from(
    ["query", "k", "mode", "filter", "$and", "$or", "$not", "$in", "$gte", "$exists", "year", ""]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["hybrid", "\ud800", "\x00", "运费险", "👩‍👧", "e\u0301"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("warranty of the Kestrel", "Kestrel"), ("运费险", "运费险"), ("🍵", "🍵")],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_hits_are_slices_of_the_text(
    shared: TestClient, query: str, expected: str, mode: str
) -> None:
    found = shared.post("/kb/kb/search", json={"query": query, "k": 3, "mode": mode}).json()
    if query == "🍵" and mode == "lexical":
        assert found["hits"] == []
        return
    (hit,) = found["hits"]
    text = shared.get(f"/kb/kb/documents/{hit['document_id']}/text").text
    assert text[hit["start"] : hit["end"]] == hit["text"]
    assert expected in hit["text"]
    assert {leg["name"] for leg in hit["legs"]} <= {"dense", "lexical"}
    assert set(found["timings"]) == {"embed", "search", "total"}


def test_k_bounds_the_hits_and_ranks_count_from_one(client: TestClient, add_text: AddText) -> None:
    for number in range(5):
        add_text(f"Note {number} about the warranty.", uri=str(number))
    hits = client.post("/kb/kb/search", json={"query": "warranty", "k": 3}).json()["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    assert hits == sorted(hits, key=lambda hit: -hit["score"])


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({}, {"1", "2"}),
        ({"year": 2025}, {"1"}),
        ({"year": {"$gte": 2026}}, {"2"}),
        ({"$not": {"team": "法务"}}, {"1"}),
        ({"uri": "2"}, {"2"}),
        ({"none": 1}, set()),
    ],
)
def test_a_filter_never_returns_a_document_it_excludes(
    client: TestClient, add_text: AddText, filter_: dict[str, Any], expected: set[str]
) -> None:
    add_text("The warranty.", uri="1", metadata={"year": 2025})
    add_text("The warranty!", uri="2", metadata={"year": 2026, "team": ["法务", "sales"]})
    body = {"query": "warranty", "filter": filter_}
    assert {
        hit["uri"] for hit in client.post("/kb/kb/search", json=body).json()["hits"]
    } == expected
    listed = client.get("/kb/kb/documents", params={"filter": json.dumps(filter_)}).json()
    assert {document["uri"] for document in listed["documents"]} == expected
    assert listed["total"] == len(expected)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("", 422, "body"),
        ("{", 422, "JSON"),
        ("[]", 422, "body"),
        ("null", 422, "body"),
        ('{"k": 3}', 422, "body.query"),
        ('{"query": NaN}', 422, "body.query"),
        ('{"query": " \\n"}', 422, "empty"),
        ('{"query": "\\ud800"}', 422, "body.query"),
        ('{"query": "' + "字" * 20_001 + '"}', 422, "20000"),
        ('{"query": "a", "k": 0}', 422, "body.k"),
        ('{"query": "a", "k": 1001}', 422, "body.k"),
        ('{"query": "a", "k": 1e400}', 422, "body.k"),
        ('{"query": "a", "k": 1' + "0" * 5_000 + "}", 400, "parsing"),
        ('{"query": "a", "mode": "magic"}', 422, "body.mode"),
        ('{"query": "a", "\\ud800": 1}', 422, "body"),
        ('{"query": "a", "quary": 1}', 422, "body.quary"),
        ('{"query": "a", "filter": []}', 422, "body.filter"),
        ('{"query": "a", "filter": {"a": NaN}}', 422, "nan"),
        ('{"query": "a", "filter": {"a": 1e400}}', 422, "inf"),
        ('{"query": "a", "filter": {"a": null}}', 422, "None"),
        ('{"query": "a", "filter": {"$where": 1}}', 422, "$where"),
        ('{"query": "a", "filter": {"a": 9007199254740993}}', 422, "2**53"),
        ('{"query": "a", "filter": {"\\ud800": 1}}', 422, "Unicode"),
        ('{"query": "a", "filter": {"a": "\\ud800"}}', 422, "Unicode"),
        ('{"query": "a", "filter": {"a": {"$in": ["\\udfff"]}}}', 422, "Unicode"),
        ('{"query": "a", "filter": {"title": "\\ud800"}}', 422, "Unicode"),
        ('{"query": "a", "filter": ' + '{"$not":' * 40 + "{}" + "}" * 41, 422, "levels deep"),
        ("[" * 100_000, 400, "parsing"),
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "backslashreplace").decode(),
)
def test_a_request_that_does_not_fit_is_refused(
    shared: TestClient, body: str, status: int, said: str
) -> None:
    assert_problem(shared.post("/kb/kb/search", content=body, headers=JSON), status, said)


@pytest.mark.parametrize("depth", [100, 300, 500, 700, 900, 2_000])
def test_depth_is_refused_and_never_an_accident(shared: TestClient, depth: int) -> None:
    body = '{"query": "a", "filter": {"a": ' + "[" * depth + "]" * depth + "}}"
    reply = shared.post("/kb/kb/search", content=body, headers=JSON)
    assert_problem(reply, 400 if depth > 900 else reply.status_code)
    assert reply.status_code in (400, 422)


def test_a_problem_tells_programs_where(shared: TestClient) -> None:
    problem = shared.post("/kb/kb/search", json={"query": "a", "k": 0, "mode": "x"}).json()
    assert problem["title"] == "InvalidRequest"
    assert [error["at"] for error in problem["errors"]] == ["body.k", "body.mode"]


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(
    body=VALUES
    | st.fixed_dictionaries(
        {"query": st.just("warranty")}, optional={"k": SCALARS, "mode": SCALARS, "filter": VALUES}
    )
)
def test_no_json_makes_it_fail(shared: TestClient, body: Any) -> None:
    content = json.dumps(body)
    for path in ("search", "documents"):
        reply = shared.post(f"/kb/nobody/{path}", content=content, headers=JSON)
        assert reply.status_code in (404, 422), reply.text
    for path in ("search", "ask"):
        asked = content.replace('"query"', '"question"') if path == "ask" else content
        reply = shared.post(f"/kb/kb/{path}", content=asked, headers=JSON)
        assert reply.status_code in (200, 422), reply.text


def test_the_text_that_all_of_this_is_about(shared: TestClient) -> None:
    (document,) = shared.get("/kb/kb/documents").json()["documents"]
    assert shared.get(f"/kb/kb/documents/{document['id']}/text").text == SERVICE_TEXT
