"""One call to an HTTP server, spoken by hand.

The client of a load test runs on the machine that is measured, and httpx takes as long for a call
as the server does.
"""

import asyncio
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

_STATUS = re.compile(rb"HTTP/[\d.]+ (\d{3})")
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d+)")
_RETRY_AFTER = re.compile(rb"(?im)^retry-after:[ \t]*(\d+)")


@dataclass(frozen=True, slots=True)
class Reply:
    """Of a server; the status 0 is of one that doesn't speak HTTP. `retry_after`: in how many
    seconds it is to be asked again, where it says so.
    """

    status: int
    content: bytes
    retry_after: int | None = None

    @property
    def said(self) -> str:
        """The beginning of it, in a line."""
        return " ".join(self.content[:200].decode(errors="replace").split())


async def exchange(method: str, url: str, body: bytes = b"") -> Reply:
    """What a server replies, by HTTP/1.0: a connection a call, as many clients have.

    Raises OSError where there is no connection, or not the whole of a reply.
    """
    place = _place(url)
    port = place.port or (443 if place.scheme == "https" else 80)
    reader, writer = await asyncio.open_connection(
        place.hostname, port, ssl=place.scheme == "https" or None
    )
    target = f"{place.path or '/'}{'?' if place.query else ''}{place.query}"
    head = (
        f"{method} {target} HTTP/1.0\r\nHost: {place.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        writer.write(head.encode() + body)
        await writer.drain()
        headers, _, content = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    if not headers:
        raise ConnectionResetError("The connection was closed without a reply.")
    length, status = _LENGTH.search(headers), _STATUS.match(headers)
    later = _RETRY_AFTER.search(headers)
    if length and len(content) < int(length[1]):
        raise ConnectionResetError("The connection was closed within a reply.")
    return Reply(int(status[1]) if status else 0, content, int(later[1]) if later else None)


@lru_cache(maxsize=16)
def _place(url: str) -> SplitResult:
    return urlsplit(url)
