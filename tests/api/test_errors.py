from http import HTTPStatus
from types import ModuleType

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from api import errors
from ingest import errors as ingest
from ingest import jobs
from retrieval import errors as retrieval
from retrieval.engine import Engine
from tests.api.replies import assert_problem


def _kinds(module: ModuleType) -> list[type[Exception]]:
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", [*_kinds(retrieval), *_kinds(ingest), jobs.JobNotFound])
def test_every_kind_has_a_status_that_is_not_500(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    assert errors.status_of(error) != HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (retrieval.KnowledgeBaseNotFound("a"), 404),
        (retrieval.DocumentNotFound("a", "b"), 404),
        (retrieval.InvalidRequest("a"), 422),
        (retrieval.TextTooLong("a"), 422),
        (retrieval.ModelMismatch("a", "b", "c"), 409),
        (retrieval.Overloaded("a"), 429),
        (retrieval.EmbeddingFailed("a"), 503),
        (retrieval.StoreUnavailable("a"), 503),
        (ingest.TooLarge("a"), 413),
        (ingest.SourceNotFound("a"), 404),
        (ingest.EncryptedDocument("a"), 422),
        (ValueError("a"), 500),
    ],
)
def test_an_error_in_the_middle_becomes_its_problem(
    shared: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def broken(engine: Engine, name: str) -> None:
        raise error

    monkeypatch.setattr(Engine, "open", broken)
    with capture_logs() as logged:
        reply = shared.post("/kb/kb/ask", json={"question": "a"})
    assert_problem(reply, status)
    of_request = [event["event"] for event in logged if "path" in event]  # not of what else runs
    assert of_request == [*["unexpected_error"] * (status == 500), "request"]
    assert ("retry-after" in reply.headers) is (status in (429, 503))
    if status == 500:
        assert reply.json()["title"] == "InternalError"
        assert "log" in reply.json()["detail"]
    else:
        assert reply.json()["title"] == type(error).__name__
        assert reply.json()["detail"] == str(error)


def test_no_kind_is_hidden_behind_one_above_it() -> None:
    for at, (kind, _) in enumerate(errors.STATUS):
        above = [other for other, _ in errors.STATUS[:at]]
        assert not issubclass(kind, tuple(above) or (type(None),))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("PATCH", "/kb/kb", 405),
        ("POST", "/health", 405),
        ("DELETE", "/", 405),
        ("GET", "/kb/a/b/c/d/e", 404),
        ("GET", "/../../etc/passwd", 404),
    ],
)
def test_what_no_route_takes_is_a_problem_too(
    shared: TestClient, method: str, path: str, status: int
) -> None:
    reply = shared.request(method, path)
    assert_problem(reply, status)
    assert ("allow" in reply.headers) is (status == 405)


def test_of_many_misfits_only_some_are_told() -> None:
    reply = errors.invalid([{"loc": ("body", f"field{n}"), "msg": "no"} for n in range(100_000)])
    assert len(reply.body) < 2_000
