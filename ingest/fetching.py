"""Documents from the web, without lending anybody the server's place in its network.

A name is resolved once; only public addresses are connected to, and the one that was checked is
the one that is used, so a name that changes its mind (DNS rebinding) gains nothing. Each redirect
is checked like the first address.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote

import httpcore
import httpx

from ingest.errors import FetchFailed, TooLarge

_REDIRECTS = 5
_STEP = 10.0  # seconds that one read or connection may take
_MOVED = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL gave: its bytes, or None where they haven't changed."""

    url: str
    data: bytes | None
    name: str
    media_type: str | None
    etag: str
    modified: str


class Web(Protocol):
    """Where documents can be fetched from."""

    def fetch(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        """Raises FetchFailed, TooLarge."""


class Fetcher:
    """Fetches public URLs within limits of bytes and seconds."""

    def __init__(self, max_bytes: int, seconds: float, *, private: bool = False) -> None:
        """`private` allows addresses of this machine and its network: for tests."""
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._private = private

    def fetch(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        """The document at a URL, unless it is still the one with this etag or time.

        Raises FetchFailed, TooLarge.
        """
        asked = {"If-None-Match": _sendable(etag), "If-Modified-Since": _sendable(modified)}
        headers = {
            "User-Agent": "footnote",
            "Accept-Encoding": "identity",
            **{name: value for name, value in asked.items() if value},
        }
        guard = _Guard(time.monotonic() + self._seconds, self._private)
        at = _parsed(url)
        with httpcore.ConnectionPool(network_backend=guard) as pool:
            for _ in range(_REDIRECTS + 1):
                found, target = self._answer(pool, at, headers)
                if found:
                    return found
                at = _parsed(target, at)
        raise FetchFailed(f"{url} redirects more than {_REDIRECTS} times.")

    def _answer(
        self, pool: httpcore.ConnectionPool, url: httpx.URL, headers: Mapping[str, str]
    ) -> tuple[Fetched | None, str]:
        """What a URL gives, or where it is instead."""
        try:
            return self._get(pool, url, headers)
        except httpcore.TimeoutException as error:
            raise FetchFailed(f"{url} takes longer than {self._seconds:g} s.") from error
        except (httpcore.NetworkError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise FetchFailed(f"{url} can't be fetched: {reason}.") from error
        except (
            httpcore.ProtocolError,
            httpcore.UnsupportedProtocol,
            ValueError,
            TypeError,
        ) as error:
            raise FetchFailed(f"{url} doesn't answer as a web server does: {error}.") from error

    def _get(
        self, pool: httpcore.ConnectionPool, url: httpx.URL, headers: Mapping[str, str]
    ) -> tuple[Fetched | None, str]:
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _STEP)
        with pool.stream(
            "GET", str(url), headers=list(headers.items()), extensions={"timeout": timeouts}
        ) as response:
            said = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            if response.status in _MOVED and "location" in said:
                return None, said["location"]
            conditional = "If-None-Match" in headers or "If-Modified-Since" in headers
            if response.status != 200 and not (response.status == 304 and conditional):
                raise FetchFailed(f"{url} answers with status {response.status}.")
            data = None
            if response.status == 200:
                data = self._read(response.iter_stream(), url)
            found = Fetched(
                str(url),
                data,
                PurePosixPath(unquote(url.path)).name or "index.html",
                said.get("content-type"),
                said.get("etag", ""),
                said.get("last-modified", ""),
            )
            return found, ""

    def _read(self, stream: Iterable[bytes], url: httpx.URL) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in stream:
            size += len(part)
            if size > self._max_bytes:
                raise TooLarge(f"{url} has more than {self._max_bytes:,} bytes, the limit.")
            parts.append(part)
        return b"".join(parts)


class _Guard(httpcore.SyncBackend):
    """Connects to public addresses only, each checked after it was resolved, until a deadline."""

    def __init__(self, deadline: float, private: bool) -> None:
        super().__init__()
        self._deadline = deadline
        self._private = private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host!r} isn't known") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for address in addresses:
            if not self._private and not _is_public(address):
                raise FetchFailed(
                    f"{host} is {address}, which isn't a public address: only those are fetched."
                )
        left = _left(self._deadline, timeout)
        stream = super().connect_tcp(addresses[0], port, left, local_address, socket_options)
        return _Timed(stream, self._deadline)


class _Timed(httpcore.NetworkStream):
    """A connection that no trickle of bytes keeps open beyond a deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, timeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds that the next step may take. Raises httpcore.ReadTimeout where none are left."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return min(left, timeout or _STEP)


def _sendable(value: str) -> str:
    """What may stand in a header of ours; nothing where it may not."""
    return value if value.isascii() and value.isprintable() else ""


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None:
            return ip.is_global and ip in _UNICAST
        ip = inner
    return ip.is_global and not ip.is_multicast and not any(ip in one for one in _SPECIAL)


# What `is_global` leaves open: RFC 4291 (unicast), 6052 (NAT64), 6890 (protocols), 7526 (6to4).
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_SPECIAL = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    """A URL in ASCII, as it is sent; one that is relative to `base`, if there is one."""
    try:
        parsed = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise FetchFailed(f"{url!r} isn't a URL: {error}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.port == 0:
        raise FetchFailed(f"{url!r} isn't an http or https URL.")
    if parsed.userinfo:
        raise FetchFailed("A URL with a user or a password isn't fetched.")
    return parsed
