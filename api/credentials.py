"""What a request shows of who sends it: a key, or the cookie of a session."""

import ipaddress
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers
from starlette.types import Scope

from api.wire.protocol import is_spoken
from retrieval.errors import Unauthorized

_ANTHROPIC = "/v1/messages"  # whose clients send their key in a header of their own
_TOLD = 12  # characters of an installation's id: no two begin alike
_OWN_PAGE = ("same-origin", "none")  # `none`: an address that was typed


@dataclass(frozen=True, slots=True)
class Credential:
    """A key's token, or the secret of a session."""

    secret: str
    session: bool = False


def shown(scope: Scope, cookie: str) -> Credential | None:
    """What a request shows; a key before a `cookie` of this name. Raises Unauthorized for what is
    neither.

    A cookie is sent by the browser, whoever made it ask. So it counts only for our own routes,
    where nothing that changes something is taken from other origins, and, where the browser tells,
    only if our own page asks.
    """
    headers = Headers(scope=scope)
    if given := headers.get("authorization"):
        scheme, _, token = given.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized("A key is sent as `Authorization: Bearer KEY`.")
        return Credential(token.strip())
    path = scope["path"]
    if path == _ANTHROPIC and (key := headers.get("x-api-key")):
        return Credential(key)
    if is_spoken(path) or headers.get("sec-fetch-site", "none") not in _OWN_PAGE:
        return None
    try:
        kept = SimpleCookie(headers.get("cookie", "")).get(cookie)
    except CookieError:
        return None
    return Credential(kept.value, session=True) if kept and kept.value else None


def cookie_of(installation: str) -> str:
    """The name of the cookie. A browser tells no ports of a machine apart: processes of one
    installation, which share their sessions, have one, and those of another have another.
    """
    return f"footnote_session_{installation[:_TOLD]}"


def network(scope: Scope) -> str:
    """Where a request comes from, as far as one sender can't choose it freely."""
    host, _ = scope.get("client") or ("", 0)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
