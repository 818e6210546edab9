"""Every route of every interface says what it needs."""

import re
from collections.abc import Iterator

import pytest

from api.app import create_app
from api.permissions import ADMIN_ALL, NEEDS, NOTHING, READ, Need, call, check
from api.settings import Settings
from api.wire.protocol import CALLS
from retrieval.access import ANYBODY, NOBODY, Principal, Scope
from retrieval.errors import NotPermitted

BESIDE = {("GET", "/"), ("GET", "/web/{name}"), ("GET", "/openapi.json")}


def _routes() -> Iterator[tuple[str, str]]:
    """The calls of all interfaces, as they are declared where they are answered."""
    for path, item in create_app(Settings()).openapi()["paths"].items():
        for method in item:
            yield method.upper(), path
    for path, methods in CALLS.items():
        for method in methods:
            yield "GET" if method == "HEAD" else method, path.replace("*}", ":path}")


def _filled(path: str) -> str:
    """A path of that route."""
    return re.sub(r"\{\w+(:path)?\}", lambda found: "a/b" if found[1] else "1", path)


def test_the_table_is_that_of_the_routes() -> None:
    table = {(method, path) for path, methods in NEEDS.items() for method in methods}
    assert table == {*_routes()} | BESIDE


@pytest.mark.parametrize(("method", "path"), sorted({*_routes()}))
def test_every_call_finds_its_own_row(method: str, path: str) -> None:
    found = call(method, _filled(path))
    assert (found.route, found.need) == (path, NEEDS[path][method])
    assert call(method, f"{_filled(path)}/").route == path


def test_what_changes_something_needs_more_than_reading() -> None:
    asks = re.compile(r"/(search|ask|replay|session)$|^/(api|v1)/")
    for path, methods in NEEDS.items():
        for method, need in methods.items():
            if method != "GET" and not asks.search(path):
                assert need.changes, (method, path)
                assert Scope.READ not in need.scopes, (method, path)
            if method == "GET":
                assert not need.changes or need is ADMIN_ALL, (method, path)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("POST", "/kb"),
        ("PATCH", "/kb/a"),
        ("GET", "/api/me"),
        ("POST", "/v1/files"),
        ("GET", "//kb"),
        ("GET", "/KB"),
        ("POST", "/api/delete"),
        ("GET", "/kb/a/../b"),
        ("GET", "/health/x"),
    ],
)
def test_what_is_not_in_the_table_needs_everything(method: str, path: str) -> None:
    assert call(method, path).need is ADMIN_ALL


def test_parameters_are_told() -> None:
    found = call("GET", "/kb/a/documents/d/pages/3.png")
    assert found.parameters == {"kb": "a", "document_id": "d", "number": "3"}
    assert call("HEAD", "/").need is NOTHING


@pytest.mark.parametrize(
    ("principal", "need", "said"),
    [
        (NOBODY, READ, "'read'"),
        (Principal("k", frozenset({Scope.WRITE})), READ, "'read'"),
        (Principal("k", frozenset({Scope.ADMIN})), Need((Scope.READ, Scope.WRITE)), "or 'write'"),
        (Principal("k", frozenset(Scope), frozenset({"a"})), ADMIN_ALL, "all knowledge bases"),
    ],
)
def test_what_a_key_lacks_is_told(principal: Principal, need: Need, said: str) -> None:
    with pytest.raises(NotPermitted, match=said):
        check(principal, need)


def test_who_may_everything_may_everything() -> None:
    for methods in NEEDS.values():
        for need in methods.values():
            check(ANYBODY, need)
    check(NOBODY, Need())
