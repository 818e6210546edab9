from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

METHODS = {"get", "put", "post", "delete"}


@pytest.fixture(scope="module")
def described(shared: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = shared.get("/openapi.json").json()
    return document


def _operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in described["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield f"{method} {path}", operation


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for one in value.values():
            yield from _references(one)
    elif isinstance(value, list):
        for one in value:
            yield from _references(one)


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    references = set(_references(described))
    assert references
    for reference in references:
        found: Any = described
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def test_every_operation_says_what_it_does(described: dict[str, Any]) -> None:
    names = []
    for where, operation in _operations(described):
        assert operation["summary"], where
        assert operation["description"].strip(), where
        names.append(operation["operationId"])
    assert len(names) == len(set(names)) >= 19


def test_every_body_has_a_schema_or_an_example(described: dict[str, Any]) -> None:
    for where, operation in _operations(described):
        contents = dict(operation.get("requestBody", {}).get("content", {}))
        for status, response in operation["responses"].items():
            contents |= {f"{status} {kind}": c for kind, c in response.get("content", {}).items()}
        for kind, content in contents.items():
            if "json" in kind and not where.endswith(("/original", "/ready", "/events")):
                assert content.get("schema") or content.get("example"), (where, kind)


def test_every_operation_on_a_name_says_that_it_may_be_missing(described: dict[str, Any]) -> None:
    for where, operation in _operations(described):
        if "{" in where and where != "put /kb/{kb}":
            assert "404" in operation["responses"], where


def test_the_example_of_a_body_is_taken(shared: TestClient, described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name, path in (("SearchRequest", "search"), ("AskRequest", "ask")):
        for example in schemas[name]["examples"]:
            assert shared.post(f"/kb/kb/{path}", json=example).status_code == 200
    body = described["paths"]["/kb/{kb}/documents"]["post"]["requestBody"]
    example = body["content"]["application/json"]["example"]
    assert shared.post("/kb/kb/documents?wait=true", json=example).status_code == 200
