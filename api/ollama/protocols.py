"""The way in for Ollama's and OpenAI's clients, before the routes of our own interface."""

from starlette.types import ASGIApp, Receive, Scope, Send

from api.body_limit import Bodies
from api.visitors import KnownHost
from api.wire.doorway import Doorway
from api.wire.protocol import is_spoken

_BLOBS = "/api/blobs/"  # models, which have many gigabytes; they are only passed on


class Protocols:
    """Takes the requests under `/api` and `/v1`; the others go on to the application.

    The application's state holds the `gateway` that answers them.
    """

    def __init__(self, app: ASGIApp, known_host: KnownHost, bodies: Bodies) -> None:
        self._app = app
        self._known_host = known_host
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_spoken(path := scope["path"]):
            await self._app(scope, receive, send)
            return
        limit = None if path.startswith(_BLOBS) else self._bodies.limit(scope)
        gateway = scope["app"].state.gateway
        scope["route"] = gateway.own.route(path)
        doorway = Doorway(gateway, self._known_host)
        await self._bodies.serve(doorway, scope, receive, send, limit)
