"""The stand-in as a server: an ASGI application, and the same running in a thread."""

import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from api.standin.catalogue import StandInModels, default_models
from api.standin.faults import Fault, Faults
from api.wire.asking import Server
from api.wire.doorway import Doorway
from api.wire.models import Model
from api.wire.origins import host_name, is_own_name
from api.wire.protocol import router
from api.wire.residence import Residence
from api.wire.router import Route, plain

_STOPS = 30.0  # seconds
_KEPT = 3_600  # seconds between two requests; Ollama closes no connection of its own accord


def create_standin(
    models: Sequence[Model] | None = None,
    registry: Iterable[Model] = (),
    plan: list[Fault] | None = None,
) -> ASGIApp:
    """The application; `plan` is what is to go wrong, and may grow while it runs."""
    server = Server(StandInModels(models or default_models(), registry), Residence())
    calls = router(server, Route("/", {"GET": _root, "HEAD": _root}))
    doorway = Doorway(calls, lambda header: is_own_name(host_name(header)))
    return Faults(doorway, plan if plan is not None else [])


@contextmanager
def running(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Its address, on loopback, while it runs in a thread; by default on a free port."""
    with socket.create_server(("127.0.0.1", port), backlog=4_096) as listening:
        config = uvicorn.Config(
            app, log_config=None, log_level="critical", timeout_keep_alive=_KEPT
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOPS)


async def _root(_request: Request) -> Response:
    return plain("Ollama is running", 200, charset=True)
