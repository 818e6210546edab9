"""What the tests of the routes send, and how they look at what comes back."""

import json
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

JSON = {"content-type": "application/json"}


def assert_problem(response: Response, status: int, *said: str) -> None:
    """The response is a problem document whose detail says all of that."""
    assert response.status_code == status, response.text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    for part in said:
        assert part in problem["detail"], problem["detail"][:500]


def events_of(body: str) -> list[tuple[str, Any]]:
    """The names and data of server-sent events."""
    events: list[tuple[str, Any]] = []
    for block in body.split("\n\n")[:-1]:
        name, data = block.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def upload(
    client: TestClient,
    data: bytes = b"Some words.",
    disposition: bytes = b'name="files"; filename="a.txt"',
    *,
    more: bytes = b"",
    kind: bytes = b"multipart/form-data; boundary=B",
) -> Response:
    """Sends a file in a form written by hand, which can be as odd as it likes, and waits."""
    head = b"--B\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n"
    body = head + data + b"\r\n" + more + b"--B--\r\n"
    headers = {b"content-type": kind}
    return client.post("/kb/kb/documents?wait=true", content=body, headers=headers)
