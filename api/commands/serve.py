"""`footnote serve` and `footnote work`."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.binding import bound
from api.commands.options import DataOption, settings
from api.connections import CONNECTIONS, IDLE_SECONDS, Connection, make_room
from api.console import err
from api.log import configure
from api.service import Service
from api.settings import Settings
from api.worker import create_worker
from ingest.errors import IngestError
from retrieval.allocator import share_arenas
from retrieval.errors import RetrievalError

# Seconds that answers on their way may take, and that those who ask may take to hear that there
# will be none. Unfinished jobs go on at the next start. `docker stop` kills after 10.
_PATIENCE = 4
_GRACE = 2

_log = structlog.get_logger()

HostOption = Annotated[str | None, typer.Option(help="Address; by default FOOTNOTE_HOST.")]
PortOption = Annotated[
    int | None, typer.Option(min=0, max=65535, help="Port; by default FOOTNOTE_PORT.")
]


def serve(
    host: HostOption = None,
    port: PortOption = None,
    no_ingest: Annotated[
        bool, typer.Option("--no-ingest", help="Let others ingest what is sent.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Serve the HTTP interface and the page, until interrupted.

    With --no-ingest, as with FOOTNOTE_INGEST_WORKERS=0, what is sent waits for `footnote work`.
    """
    found = _told(data, host=host, port=port, ingest_workers=0 if no_ingest else None)
    _run(create_app, found, "Footnote")


def work(host: HostOption = None, port: PortOption = None, data: DataOption = None) -> None:
    """Ingest what processes that serve have accepted, until interrupted.

    They share a catalogue in Postgres. Answers /health, /ready and /metrics.
    """
    found = _told(data, host=host, port=port)
    _run(create_worker, found, "Footnote ingests")


def _told(data: Path | None, **given: object) -> Settings:
    """The settings, where none is given on the command line."""
    return settings(data).model_copy(update={k: v for k, v in given.items() if v is not None})


def _run(create: Callable[[Settings], FastAPI], found: Settings, what: str) -> None:
    configure(found.log_level, found.log_format)
    if strange := found.unknown(os.environ):
        _log.warning("unknown_settings", names=strange)
    sockets = bound(found.host, found.port)
    actual = sockets[0].getsockname()[1]
    app = create(found)
    err.print(f"{what}: http://{found.host}:{actual} (data in {found.data.resolve()})")
    config = uvicorn.Config(
        _plainly(app),
        log_level=found.log_level,
        log_config=None,  # api.log takes what it logs
        access_log=False,  # so does api.access, with ids
        timeout_graceful_shutdown=_PATIENCE + _GRACE,
        http=Connection,
        timeout_keep_alive=int(IDLE_SECONDS),
        ws="none",
        limit_concurrency=CONNECTIONS,
    )
    make_room()
    share_arenas()
    with suppress(KeyboardInterrupt):
        _Server(config, app).run(sockets)


class _Server(uvicorn.Server):
    """A server that isn't held up by those who only listen, and ends each answer properly."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # of a status that is uvicorn's own; why is logged
            raise SystemExit(1) from None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        service: Service = self._app.state.service
        self._app.state.listeners.dismiss()
        service.jobs.stop()  # who waits for some is told how far they are
        asyncio.get_running_loop().call_later(_PATIENCE, service.stopping.begin)
        await super().shutdown(sockets)


def _plainly(app: ASGIApp) -> ASGIApp:
    """The application, which says why it can't start: of an error raised on purpose the message,
    which is all there is to say, of any other the traceback.
    """

    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            error = sys.exception()  # it is told of while it is handled
            on_purpose = isinstance(error, RetrievalError | IngestError)
            if message["type"] == "lifespan.startup.failed" and on_purpose:
                message = {**message, "message": str(error)}
            await send(message)

        await app(scope, receive, told if scope["type"] == "lifespan" else send)

    return plain
