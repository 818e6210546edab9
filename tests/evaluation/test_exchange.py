"""Against a socket that says what a test wants it to."""

import socket
import threading
from collections.abc import Callable, Iterator

import anyio
import pytest

from evaluation.exchange import Reply, exchange

Saying = Callable[[bytes], tuple[str, list[bytes]]]


@pytest.fixture
def saying() -> Iterator[Saying]:
    """A server that takes one call and says this; its URL, and what it will have heard."""
    threads: list[threading.Thread] = []

    def start(reply: bytes) -> tuple[str, list[bytes]]:
        heard: list[bytes] = []
        listening = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listening, listening.accept()[0] as connection:
                while b"END" not in b"".join(heard):
                    heard.append(connection.recv(65_536))
                connection.sendall(reply)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}", heard

    yield start
    for thread in threads:
        thread.join(10)


def test_a_call_is_spoken_and_its_reply_heard(saying: Saying) -> None:
    url, heard = saying(b"HTTP/1.1 201 Created\r\ncontent-length: 4\r\n\r\n\xe8\x8c\xb6!")
    reply = anyio.run(exchange, "POST", f"{url}/base/kb?wait=true", b"{}END")
    assert reply == Reply(201, b"\xe8\x8c\xb6!")
    assert reply.said == "茶!"
    said = b"".join(heard)
    assert said.startswith(b"POST /base/kb?wait=true HTTP/1.0\r\n")
    assert b"\r\nContent-Length: 5\r\n" in said
    assert b"\r\nContent-Type: application/json\r\n" in said
    assert f"\r\nHost: {url.removeprefix('http://')}\r\n".encode() in said


@pytest.mark.parametrize(
    "reply", [b"", b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 10\r\n\r\n123456789"]
)
def test_what_is_cut_off_is_no_reply(saying: Saying, reply: bytes) -> None:
    url, _ = saying(reply)
    with pytest.raises(ConnectionResetError, match="closed with"):
        anyio.run(exchange, "POST", url, b"END")


def test_what_is_not_http_has_no_status(saying: Saying) -> None:
    url, _ = saying(b"220 mail ready\r\n\r\n")
    assert anyio.run(exchange, "POST", url, b"END").status == 0


def test_nobody_there() -> None:
    with pytest.raises(ConnectionRefusedError):
        anyio.run(exchange, "GET", "http://127.0.0.1:1/")
