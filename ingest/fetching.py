"""Documents from the web, without lending anybody the server's place in its network.

A name is resolved once; only public addresses are connected to, and the one that was checked is
the one that is used, so a name that changes its mind (DNS rebinding) gains nothing. Each redirect
is checked like the first address.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urljoin, urlsplit

import httpcore

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

    def close(self) -> None: ...


class Fetcher:
    """Fetches public URLs within limits of bytes and seconds."""

    def __init__(self, max_bytes: int, seconds: float, *, private: bool = False) -> None:
        """`private` allows addresses of this machine and its network: for tests."""
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._pool = httpcore.ConnectionPool(network_backend=_Guard(private))

    def fetch(self, url: str, etag: str = "", modified: str = "") -> Fetched:
        """The document at a URL, unless it is still the one with this etag or time.

        Raises FetchFailed, TooLarge.
        """
        deadline = time.monotonic() + self._seconds
        asked = {"If-None-Match": etag, "If-Modified-Since": modified}
        headers = {
            "User-Agent": "footnote",
            "Accept-Encoding": "identity",
            **{name: value for name, value in asked.items() if value},
        }
        at = url
        for _ in range(_REDIRECTS + 1):
            _check(at)
            try:
                found, target = self._get(at, headers, deadline)
            except (httpcore.NetworkError, httpcore.TimeoutException, OSError) as error:
                reason = str(error) or type(error).__name__
                raise FetchFailed(f"{at} can't be fetched: {reason}.") from error
            except (httpcore.ProtocolError, httpcore.UnsupportedProtocol, ValueError) as error:
                raise FetchFailed(f"{at} doesn't answer as a web server does: {error}.") from error
            if found:
                return found
            at = urljoin(at, target)
        raise FetchFailed(f"{url} redirects more than {_REDIRECTS} times.")

    def close(self) -> None:
        self._pool.close()

    def _get(
        self, url: str, headers: Mapping[str, str], deadline: float
    ) -> tuple[Fetched | None, str]:
        """The document, or where it is instead."""
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), _STEP)
        with self._pool.stream(
            "GET", url, headers=list(headers.items()), extensions={"timeout": timeouts}
        ) as response:
            said = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in response.headers}
            if response.status in _MOVED and "location" in said:
                return None, said["location"]
            if response.status not in (200, 304):
                raise FetchFailed(f"{url} answers with status {response.status}.")
            data = None
            if response.status == 200:
                data = self._read(response.iter_stream(), url, deadline)
            name = PurePosixPath(unquote(urlsplit(url).path)).name or "index.html"
            return (
                Fetched(
                    url,
                    data,
                    name,
                    said.get("content-type"),
                    said.get("etag", ""),
                    said.get("last-modified", ""),
                ),
                "",
            )

    def _read(self, stream: Iterable[bytes], url: str, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        for part in stream:
            size += len(part)
            if size > self._max_bytes:
                raise TooLarge(f"{url} has more than {self._max_bytes:,} bytes, the limit.")
            if time.monotonic() > deadline:
                raise FetchFailed(f"{url} takes longer than {self._seconds:g} s.")
            parts.append(part)
        return b"".join(parts)


class _Guard(httpcore.SyncBackend):
    """Connects to public addresses only, each checked after it was resolved."""

    def __init__(self, private: bool) -> None:
        super().__init__()
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
        return super().connect_tcp(addresses[0], port, timeout, local_address, socket_options)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    inner = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if inner is None and isinstance(ip, ipaddress.IPv6Address) and ip in _NAT64:
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return (inner or ip).is_global and not (inner or ip).is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise FetchFailed(f"{url!r} isn't a URL: {error}.") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise FetchFailed(f"{url!r} isn't an http or https URL.")
    if parts.username or parts.password:
        raise FetchFailed("A URL with a user or a password isn't fetched.")
