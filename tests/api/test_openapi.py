from typing import Any

import pytest
from starlette.testclient import TestClient

from api.errors import PROBLEM


@pytest.fixture(scope="module")
def operations(shared: TestClient) -> dict[str, dict[str, Any]]:
    described = shared.get("/openapi.json").json()
    return {
        f"{method} {path}": operation
        for path, item in described["paths"].items()
        for method, operation in item.items()
    }


def test_every_error_is_a_problem_document(operations: dict[str, dict[str, Any]]) -> None:
    for where, operation in operations.items():
        for status, response in operation["responses"].items():
            if status >= "400":
                reference = {"$ref": "#/components/schemas/Problem"}
                assert response["content"] == {PROBLEM: {"schema": reference}}, (where, status)
                assert response["description"]


@pytest.mark.parametrize(
    ("operation", "statuses"),
    [
        ("get /health", {"200", "403", "422", "503"}),
        (
            "put /kb/{kb}",
            {"200", "201", "400", "403", "404", "408", "409", "412", "413", "422", "503"},
        ),
        ("get /kb/{kb}/documents", {"200", "403", "404", "422", "503"}),
    ],
)
def test_the_errors_of_a_call_are_its_own_and_those_of_its_kind(
    operations: dict[str, dict[str, Any]], operation: str, statuses: set[str]
) -> None:
    assert set(operations[operation]["responses"]) == statuses


def test_a_problem_is_as_described(shared: TestClient) -> None:
    problem = shared.get("/openapi.json").json()["components"]["schemas"]["Problem"]
    found = shared.post("/kb/kb/search", json={"query": "a", "k": 0}).json()
    assert set(found) == set(problem["properties"])
    assert set(problem["required"]) == set(found) - {"errors", "request_id"}
