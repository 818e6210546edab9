"""The protocol over real sockets, with its patience shortened."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api import connections
from api.connections import HEAD_BYTES, Connection

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
SHORT, IDLE = 0.3, 2.0  # seconds


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers a byte; under `/much` more than a connection holds, under `/whole` in one piece."""
    size = 1 if scope["path"] == "/" else 50_000_000
    headers = [(b"content-length", str(size).encode())]
    if scope["path"] == "/whole":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a" * size})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for _ in range(max(1, size // 100_000)):
        await send(
            {"type": "http.response.body", "body": b"a" * min(size, 100_000), "more_body": 1}
        )
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(connections, "HEAD_SECONDS", SHORT)
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 5 * SHORT)
    monkeypatch.setattr(connections, "IDLE_SECONDS", IDLE)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(_app, http=Connection, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)


def _rest(client: socket.socket) -> bytes:
    """All that comes until the connection ends, however it does."""
    client.settimeout(20)
    found = bytearray()
    with contextlib.suppress(ConnectionError):
        while part := client.recv(1_000_000):
            found += part
    return bytes(found)


def _answer(client: socket.socket) -> bytes:
    """One answer, whose body is its last byte."""
    client.settimeout(20)
    found = b""
    while not found.endswith(b"\r\n\r\na"):
        found += (part := client.recv(1_000))
        assert part, found
    return found


@pytest.mark.parametrize("sent", [b"", b"GET / HT", GET])
def test_a_head_that_does_not_come_ends_the_connection(
    address: tuple[str, int], sent: bytes
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(sent)
        assert _rest(client) == b""


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client, pytest.raises(ConnectionError):
        for _ in range(200):
            client.sendall(b"G" if _ == 0 else b"E")
            time.sleep(SHORT / 10)  # it is the pace that is tried


def test_a_second_head_is_waited_for_no_longer_than_the_first(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET + b"\r\n" + b"GET / HT")
        assert _rest(client).count(b"200 OK") == 1


def _second_answer(address: tuple[str, int], pause: float) -> bytes:
    """To a request that comes so long after the first was answered; none where it is too late."""
    with socket.create_connection(address) as client:
        client.sendall(GET + b"\r\n")
        _answer(client)
        time.sleep(pause)  # it is the pace that is tried
        with contextlib.suppress(ConnectionError):
            client.sendall(GET + b"\r\n")
        return _rest(client)


def test_a_connection_is_kept_between_requests_for_longer_than_a_head_is_waited_for(
    address: tuple[str, int],
) -> None:
    assert _second_answer(address, 3 * SHORT).count(b"200 OK") == 1
    assert _second_answer(address, IDLE + 3 * SHORT) == b""


def test_where_many_are_open_none_is_kept_for_long(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ROOM", 0)
    assert _second_answer(address, 3 * SHORT) == b""


def test_what_is_left_of_a_body_that_was_answered_is_not_waited_for(
    address: tuple[str, int],
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        assert _rest(client).count(b"200 OK") == 1


@pytest.mark.parametrize(
    "line", [b"a: " + b"b" * HEAD_BYTES, b"a: b\r\n" * HEAD_BYTES, b"b" * 2 * HEAD_BYTES]
)
def test_a_head_without_an_end_is_refused(address: tuple[str, int], line: bytes) -> None:
    with socket.create_connection(address) as client:
        with contextlib.suppress(ConnectionError):
            client.sendall(GET + line)
        assert _rest(client)[:13] in (b"HTTP/1.1 431 ", b"HTTP/1.1 400 ")


def test_a_body_that_comes_with_its_head_is_none(address: tuple[str, int]) -> None:
    body = b"b" * 2 * HEAD_BYTES
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with socket.create_connection(address) as client:
        for _ in range(20):
            client.sendall(request)
            assert _answer(client).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("path", [b"/much", b"/whole"])
def test_an_answer_that_is_not_read_ends_with_its_connection(
    address: tuple[str, int], path: bytes
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(10 * SHORT)  # it is the pace that is tried
        assert 0 < len(_rest(client)) < 50_000_000


def test_an_answer_that_is_read_comes_whole(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
        assert len(_rest(client)) > 50_000_000


@pytest.mark.parametrize("path", [b"/much", b"/whole"])
def test_an_answer_that_is_read_slowly_comes_whole(address: tuple[str, int], path: bytes) -> None:
    with socket.create_connection(address) as client:
        client.settimeout(20)
        client.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        found, began = 0, time.monotonic()
        while found <= 50_000_000 and (part := client.recv(1_000_000)):
            found += len(part)
            time.sleep(SHORT / 4)
        assert found > 50_000_000
        assert time.monotonic() - began > 5 * SHORT  # longer than either may take unread
