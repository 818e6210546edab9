"""Who is let in, and what a browser is told of it: the Host and Origin rules of Ollama."""

from collections.abc import Callable
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.wire.origins import known_origin

_MAX_AGE = "43200"
_METHODS = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS"


class Calls(Protocol):
    """What stands behind the doorway."""

    def allowed(self, path: str) -> str:
        """The methods of a path, as the Allow header names them."""

    async def handle(self, request: Request) -> Response: ...


class Doorway:
    """The calls behind the rules. What isn't let in gets 403 and no body, as from Ollama."""

    def __init__(self, calls: Calls, known_host: Callable[[str], bool]) -> None:
        self._calls = calls
        self._known_host = known_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        allowed = origin is None or known_origin(origin) or _own(origin, host)
        if not allowed or not self._known_host(host):
            response = Response(status_code=403)
        elif scope["method"] == "OPTIONS" and origin:
            response = _preflight(self._calls.allowed(scope["path"]), headers)
        else:
            response = await self._calls.handle(Request(scope, receive))
        await response(scope, receive, with_origin(origin, send) if origin and allowed else send)


def _own(origin: str, host: str) -> bool:
    """Whether a page of this very server asks."""
    return bool(host) and origin.partition("://")[2] == host


def _preflight(allow: str, headers: Headers) -> Response:
    asked = headers.get("access-control-request-headers", "")
    told = {
        "allow": allow,
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": asked,
        "access-control-max-age": _MAX_AGE,
    }
    return Response(status_code=204, headers={k: v for k, v in told.items() if v})


def with_origin(origin: str, send: Send) -> Send:
    """Sends with the headers that let a page of this origin read the reply."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["access-control-allow-origin"] = origin
            headers.append("vary", "Origin")
        await send(message)

    return told
