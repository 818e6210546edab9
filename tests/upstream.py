"""Servers that answer what no Ollama server would: for tests of what stands before them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answer = Callable[[Request], Response]


def answering(answer: Answer) -> ASGIApp:
    """An application whose replies are these."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await answer(Request(scope, receive))(scope, receive, send)

    return app


@contextmanager
def speaking(said: bytes, endlessly: bytes = b"") -> Iterator[str]:
    """The address of a server that says the one to everybody, then the other again and again."""
    over = threading.Event()

    def speak(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(said)
            while endlessly and not over.is_set():
                connection.sendall(endlessly)
                time.sleep(0.02)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):  # left unread, it would reset the connection
                pass

    def listen() -> None:
        with suppress(OSError):  # nobody listens any more
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=speak, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=listen, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
