from typing import Any

import pytest
from starlette.testclient import TestClient

from api.limits import limits
from api.settings import Settings
from tests.api.replies import assert_problem

LIMITS = limits(Settings())


def _over(name: str, by: int = 1) -> int:
    return int(LIMITS[name]) + by


def _refused() -> dict[str, tuple[str, dict[str, Any]]]:
    """A request beyond each limit that a body of JSON can go beyond."""
    query, question = {"query": "a"}, {"question": "a", "document": "notes/1", "helpful": True}
    turn = {"role": "user", "content": "a"}
    deep: dict[str, Any] = {"year": 1}
    for _ in range(_over("filter_depth")):
        deep = {"$not": deep}
    many = {"$in": list(range(_over("filter_conditions")))}
    keys = {str(number): number for number in range(_over("metadata_keys"))}
    return {
        "k": ("search", query | {"k": _over("k")}),
        "query_characters": ("search", {"query": "a" * _over("query_characters")}),
        "filter_depth": ("search", query | {"filter": deep}),
        "filter_conditions": ("search", query | {"filter": {"year": many}}),
        "history_turns": ("ask", {"question": "a", "history": [turn] * _over("history_turns")}),
        "turn_characters": (
            "ask",
            {"question": "a", "history": [turn | {"content": "a" * _over("turn_characters")}]},
        ),
        "documents_per_request": (
            "documents",
            {"documents": [{"text": "a"}] * _over("documents_per_request")},
        ),
        "metadata_keys": ("documents", {"text": "a", "metadata": keys}),
        "metadata_values": (
            "documents",
            {"text": "a", "metadata": {"a": [1] * _over("metadata_values")}},
        ),
        "metadata_characters": (
            "documents",
            {"text": "a", "metadata": {"a": "a" * _over("metadata_characters")}},
        ),
        "uri_characters": ("feedback", question | {"document": "a" * _over("uri_characters")}),
        "questions": (
            "reindex",
            {"questions": [{"question": "a", "uri": "a"}] * _over("questions")},
        ),
    }


REFUSED = _refused()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_beyond_a_limit_is_told_the_limit(shared: TestClient, name: str) -> None:
    path, body = REFUSED[name]
    reply = shared.post(f"/kb/kb/{path}", json=body)
    assert_problem(reply, 422)
    assert str(int(LIMITS[name])) in reply.json()["detail"].replace(",", "")


def test_texts_to_embed_have_a_limit(shared: TestClient) -> None:
    texts = ["a"] * _over("texts_to_embed")
    reply = shared.post("/api/embed", json={"model": "hashing", "input": texts})
    assert reply.status_code == 400
    assert str(int(LIMITS["texts_to_embed"])) in reply.json()["error"]


def test_all_limits_are_told(shared: TestClient) -> None:
    told = shared.get("/info").json()["limits"]
    assert set(told) == set(LIMITS)
    assert all(limit > 0 for limit in told.values())
