"""Which requests are taken at all: against pages that reach for a server on the reader's machine.

A page from elsewhere can make a browser send requests to loopback. Under a name of its own that
resolves to 127.0.0.1 (DNS rebinding) it could also read the answers, so on loopback only known
names are served; and what changes something must not come from another site.
"""

import ipaddress
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import problem
from api.wire.origins import host_name, is_own_name

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})

KnownHost = Callable[[str], bool]
"""Whether this server may be called what a Host header says."""


def known_hosts(host: str, names: Iterable[str]) -> KnownHost:
    """The rule for a server that listens on `host`: beyond loopback it may be called anything."""
    if not is_loopback(host):
        return lambda _header: True
    others = frozenset(name.lower() for name in names)
    return lambda header: is_own_name(name := host_name(header)) or name in others


class Visitors:
    """Answers 403 to requests for unknown hosts, and to changes that other sites ask for."""

    def __init__(self, app: ASGIApp, known_host: KnownHost) -> None:
        self._app = app
        self._known_host = known_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, send)
        else:
            await problem(403, "Forbidden", refusal)(scope, receive, send)

    def _refusal(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        here = headers.get("host", "")
        if not self._known_host(here):
            return (
                f"This server isn't known as {here[:200]!r}. If it is to be, add the name to "
                f"FOOTNOTE_ALLOWED_HOSTS."
            )
        origin = headers.get("origin")
        if origin is None or scope["method"] in _HARMLESS or origin.partition("://")[2] == here:
            return None
        return f"A page of {origin[:200]!r} may not change anything here."


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach who listens on this address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
