"""Which requests are taken at all: against pages that reach for a server on the reader's machine.

A page from elsewhere can make a browser send requests to loopback. Under a name of its own that
resolves to 127.0.0.1 (DNS rebinding) it could also read the answers, so on loopback only known
names are served; and what changes something must not come from another site.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Visitors:
    """Answers 403 to requests for unknown hosts, and to changes that other sites ask for."""

    def __init__(self, app: ASGIApp, host: str, names: Iterable[str]) -> None:
        """`host` is where the server listens; beyond loopback it may be called anything."""
        self._app = app
        self._names = _LOOPBACK | {host, *names} if _is_loopback(host) else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await problem(403, "Forbidden", refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        here = headers.get("host", "")
        if self._names is not None and _name(here) not in self._names:
            return (
                f"This server isn't known as {here[:200]!r}. If it is to be, add the name to "
                f"FOOTNOTE_ALLOWED_HOSTS."
            )
        origin = headers.get("origin")
        if origin is None or scope["method"] in _HARMLESS or origin.partition("://")[2] == here:
            return None
        return f"A page of {origin[:200]!r} may not change anything here."


def _name(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    found = _HOST.fullmatch(host.lower())
    return (found["v6"] or found["name"]) if found else ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
