from collections.abc import Iterator

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.body_limit import BodyLimit
from tests.api.replies import JSON, assert_problem

LIMIT = 2_000_000  # of the shared client
FORM = {"content-type": "multipart/form-data; boundary=B"}


def _pieces() -> Iterator[bytes]:
    yield b'--B\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'
    for _ in range(3):
        yield b"x" * 1_000_000


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/kb/kb/documents"),
        ("PUT", "/kb/kb"),
        ("POST", "/kb/kb/search"),
        ("POST", "/kb/kb/ask"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("headers", [JSON, FORM])
def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(
    shared: TestClient, method: str, path: str, declared: bool, headers: dict[str, str]
) -> None:
    content = b"".join(_pieces()) if declared else _pieces()
    reply = shared.request(method, path, content=content, headers=headers)
    assert_problem(reply, 413, "2,000,000 bytes", "FOOTNOTE_MAX_UPLOAD_BYTES")
    assert reply.json()["title"] == "TooLarge"


@pytest.mark.parametrize(("size", "status"), [(LIMIT, 422), (LIMIT + 1, 413)])
def test_the_limit_itself_is_allowed(shared: TestClient, size: int, status: int) -> None:
    body = b'{"texd": "' + b"x" * (size - 12) + b'"}'
    assert len(body) == size
    assert_problem(shared.post("/kb/kb/documents", content=body, headers=JSON), status)


@pytest.mark.parametrize("declared", ["abc", "-1", "", "1e9"])
def test_a_length_that_is_no_number_changes_nothing(shared: TestClient, declared: str) -> None:
    headers = JSON | {"content-length": declared}
    assert_problem(shared.post("/kb/kb/search", content=_pieces(), headers=headers), 413)


def test_reading_stops_at_the_limit() -> None:
    received = 0

    async def receive() -> Message:
        nonlocal received
        received += 4
        return {"type": "http.request", "body": b"1234", "more_body": True}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    async def greedy(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            await receive()

    with pytest.raises(HTTPException) as refused:
        anyio.run(BodyLimit(greedy, 10), {"type": "http", "headers": []}, receive, send)
    assert (refused.value.status_code, received) == (413, 12)
