"""Footnote servers that embed, whose answers can be counted, held up and spoilt."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.settings import Settings
from api.standin.faults import Fault, Faults
from api.standin.server import running
from retrieval.ports import EmbeddingBackend

Spoil = Callable[[dict[str, Any]], dict[str, Any]]

_EMBED = "/api/embed"


@dataclass
class EmbeddingServer:
    """A server in this process, while it runs.

    `plan`: what is to go wrong with it; `spoil`: changes what it answers; `gate`: what requests
    wait for; `requests`: how many texts each had; `urgent`: how many of them were.
    """

    data: Path
    backend: EmbeddingBackend | None
    settings: dict[str, Any]
    url: str = ""
    plan: list[Fault] = field(default_factory=list)
    spoil: Spoil | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    requests: list[int] = field(default_factory=list)
    urgent: int = 0
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self) -> None:
        """Begin, or begin again at the same address."""
        self.gate.set()
        port = int(self.url.rsplit(":", 1)[1]) if self.url else 0
        app = create_app(Settings(data=self.data, **self.settings), self.backend)
        self.url = self._running.enter_context(running(Faults(_Seen(app, self), self.plan), port))

    def stop(self) -> None:
        self.gate.set()
        self._running.close()

    @property
    def texts(self) -> int:
        """That it was asked to embed."""
        return sum(self.requests)


class _Seen:
    """An application, with what becomes of its requests for embeddings."""

    def __init__(self, app: ASGIApp, server: EmbeddingServer) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != _EMBED:
            await self._app(scope, receive, send)
            return
        body = bytearray()
        self._server.urgent += (b"priority", b"u=1") in scope["headers"]

        async def received() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            if not message.get("more_body") and message["type"] == "http.request":
                self._server.requests.append(len(orjson.loads(body)["input"]))
                await anyio.to_thread.run_sync(self._server.gate.wait)
            return message

        await self._app(scope, received, self._spoilt(send))

    def _spoilt(self, send: Send) -> Send:
        spoil, start = self._server.spoil, list[Message]()
        if spoil is None:
            return send

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            data = orjson.dumps(spoil(orjson.loads(message["body"])))
            headers = [(k, v) for k, v in start[0]["headers"] if k != b"content-length"]
            await send({**start[0], "headers": headers})
            await send({**message, "body": data})

        return told


@contextmanager
def serving(
    data: Path, backend: EmbeddingBackend | None = None, **settings: Any
) -> Iterator[EmbeddingServer]:
    """A server over a data directory."""
    server = EmbeddingServer(data, backend, settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()
