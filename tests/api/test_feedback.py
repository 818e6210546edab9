"""Feedback over HTTP."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import SERVICE_TEXT, AddText, OpenClient
from tests.api.replies import assert_problem

QUESTION = "运费险多久理赔？"


def said(**more: Any) -> dict[str, Any]:
    return {"question": QUESTION, "document": "notes/1", "helpful": True, **more}


def test_feedback_is_kept_listed_and_forgotten(
    client: TestClient, add_text: AddText, open_client: OpenClient
) -> None:
    document = add_text()
    start = SERVICE_TEXT.index("运费险的")
    given = client.post("/kb/kb/feedback", json=said(start=start, end=start + 12))
    assert given.status_code == 201
    kept = given.json()
    assert (kept["document_id"], kept["uri"], kept["live"]) == (document, "notes/1", True)
    assert SERVICE_TEXT[kept["start"] : kept["end"]] == "运费险的理赔时限是七天。"
    other = client.post("/kb/kb/feedback", json=said(document=document, helpful=False)).json()
    after = open_client()
    listed = after.get("/kb/kb/feedback").json()
    assert listed == {"total": 2, "feedback": [other, kept]}
    page = after.get("/kb/kb/feedback?limit=1&offset=1").json()
    assert page == {"total": 2, "feedback": [kept]}
    assert after.delete(f"/kb/kb/feedback/{kept['id']}").status_code == 204
    assert after.get("/kb/kb/feedback").json()["feedback"] == [other]
    assert_problem(after.delete(f"/kb/kb/feedback/{kept['id']}"), 404, kept["id"])


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (said(document="gone"), 404, "no document 'gone'"),
        (said(version="0"), 404, "version '0'"),
        (said(start=5), 422, "give both, or neither"),
        (said(start=5, end=9_999), 422, f"text has {len(SERVICE_TEXT)} code points"),
        (said(question="  "), 422, "query is empty"),
        (said(helpful="perhaps"), 422, "body.helpful"),
        (said(rank=1), 422, "body.rank"),
    ],
)
def test_what_does_not_fit_is_refused(
    shared: TestClient, body: dict[str, Any], status: int, message: str
) -> None:
    assert_problem(shared.post("/kb/kb/feedback", json=body), status, message)


def test_feedback_on_no_knowledge_base(shared: TestClient) -> None:
    assert_problem(shared.post("/kb/no/feedback", json=said()), 404, "'no'")
    assert_problem(shared.get("/kb/no/feedback"), 404, "'no'")
