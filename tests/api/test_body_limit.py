import math
from collections.abc import Iterator

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.body_limit import ASKED, PACE, PATIENCE, TOGETHER, Bodies, BodyLimit
from tests.api.replies import JSON, assert_problem
from tests.clock import FastLoop

LIMIT = 2_000_000  # of the shared client
SCOPE = {"type": "http", "path": "/", "headers": []}
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
        anyio.run(BodyLimit(greedy, Bodies(10, 10)), SCOPE, receive, send)
    assert (refused.value.status_code, received) == (413, 12)


Sent = list[tuple[float, bytes]]
"""The parts of a body, each after so many seconds."""


async def _answer(parts: Sent, bodies: Bodies) -> int:
    """The status that a body is answered with, that is sent like that and then goes on for ever."""
    statuses: list[int] = []

    async def receive() -> Message:
        wait, body = parts.pop(0) if parts else (math.inf, b"")
        await anyio.sleep(wait)
        return {"type": "http.request", "body": body, "more_body": bool(parts)}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    async def greedy(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while (await receive())["more_body"]:
                pass
            await Response()(scope, receive, send)
        except HTTPException as refused:
            await Response(status_code=refused.status_code)(scope, receive, send)

    await BodyLimit(greedy, bodies)(SCOPE, receive, send)
    return statuses[0]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ([(0.0, b"a")], 200),
        ([(PATIENCE - 1, b"a")], 200),
        ([(1.0, b"a")] * 100, 408),  # a byte a second
        ([(math.inf, b"")], 408),
        ([(1.0, b"a" * PACE)] * 100, 200),
        ([(1.0, b"a" * PACE)] * 50 + [(1.0, b"a")] * 50, 408),
        ([(0.0, b"a" * 900_000), (PATIENCE + 1, b"a")], 408),
    ],
    ids=["at once", "late", "a byte a second", "never", "slowly", "ever slower", "much, then none"],
)
def test_a_body_is_waited_for_as_long_as_a_slow_line_needs(parts: Sent, status: int) -> None:
    loop = {"loop_factory": FastLoop}
    found = anyio.run(_answer, parts, Bodies(10**6, 10**6), backend_options=loop)
    assert found == status


def test_what_waits_for_the_client_to_go_is_not_hurried() -> None:
    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        assert (await receive())["type"] == "http.disconnect"

    async def main() -> None:
        messages: list[tuple[float, Message]] = [
            (0.0, {"type": "http.request", "body": b"a", "more_body": False}),
            (100 * PATIENCE, {"type": "http.disconnect"}),
        ]

        async def receive() -> Message:
            after, message = messages.pop(0)
            await anyio.sleep(after)
            return message

        async def send(message: Message) -> None:
            raise AssertionError(message)

        await BodyLimit(wait, Bodies(10, 10))(SCOPE, receive, send)

    anyio.run(main, backend_options={"loop_factory": FastLoop})


def test_bodies_have_a_limit_together() -> None:
    bodies = Bodies(10, 10)
    parts: Sent = [(1.0, b"a" * 9), (1.0, b"")]

    async def main() -> list[int]:
        found: list[int] = []

        async def one() -> None:
            found.append(await _answer(list(parts), bodies))

        async with anyio.create_task_group() as tasks:
            for _ in range(TOGETHER + 2):
                tasks.start_soon(one)
        async with anyio.create_task_group() as tasks:  # what is answered isn't held any more
            tasks.start_soon(one)
        return found

    found = anyio.run(main, backend_options={"loop_factory": FastLoop})
    assert sorted(found) == [200] * (TOGETHER + 1) + [503] * 2


@pytest.mark.parametrize(
    ("path", "kind", "limit"),
    [
        ("/kb/a/documents", b"multipart/form-data; boundary=B", 10**8),
        ("/kb/a/documents/b", b"multipart/form-data; boundary=B", 10**8),
        ("/kb/a/documents", b"application/json", 10**7),
        ("/kb/a/documents", b"Application/JSON; charset=utf-8", 10**7),
        ("/api/chat", b"application/json", 10**7),
        ("/v1/embeddings", b"", 10**7),
        ("/kb/a/search", b"application/json", ASKED),
        ("/kb/documents", b"multipart/form-data; boundary=B", ASKED),
        ("*", b"", ASKED),
        ("/", b"", ASKED),
        ("/session", b"application/json", 4_096),
    ],
)
def test_files_may_be_larger_than_json_and_that_than_a_question(
    path: str, kind: bytes, limit: int
) -> None:
    scope = {"path": path, "headers": [(b"content-type", kind)]}
    assert Bodies(10**8, 10**7).limit(scope) == limit
    assert Bodies(5, 10).limit(scope) == 5


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        (10**8, "FOOTNOTE_MAX_UPLOAD_BYTES"),
        (10**7, "FOOTNOTE_MAX_REQUEST_BYTES"),
        (ASKED, "for questions"),
        (4_096, "a key"),
    ],
)
def test_what_is_too_large_is_told_why(limit: int, told: str) -> None:
    detail = Bodies(10**8, 10**7).detail(limit)
    assert told in detail
    assert f"{limit:,} bytes" in detail
