"""Connections that cost a stranger as much as this server: none is held for one who doesn't go on.

uvicorn has no limit on how long a request's head may take, how large it may be, or how long an
answer may lie unread. A head that takes too long, and an answer that isn't fetched, end with the
connection; a head that is too large with 431. While there is room, one that waits for its next
request is kept for longer than clients keep theirs: a request that is sent just when its connection
is closed fails, which most clients tell as an error.
"""

import asyncio
import resource

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.body_limit import PACE

CONNECTIONS = 4_096  # at once; more are answered 503
HEAD_SECONDS = 10.0  # until the head of a request is complete
HEAD_BYTES = 64 * 1024
IDLE_SECONDS = 95.0  # between requests: httpx waits for 5, nginx for 60, Go and reqwest for 90
ROOM = CONNECTIONS // 2  # of more, none is kept so long
UNREAD_SECONDS = 60.0  # that an answer may wait for its client to read on, at `PACE` at least

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b"
)
_PROBLEM = (
    b'{"type":"about:blank","title":"RequestHeaderFieldsTooLarge","status":431,'
    b'"detail":"The address and headers of a request may have %d bytes together."}' % HEAD_BYTES
)
_log = structlog.get_logger()


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, which loses its patience."""

    _head = 0  # bytes of a head that isn't complete
    _heads = 0  # that were complete
    _within = False  # a message, whose head is complete
    _idle_until = 0.0  # between two requests, by the loop's clock
    _head_due: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _written = 0  # bytes that weren't read when that began

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._head_due, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        awaited, heads = not self._within, self._heads
        if self._idle_until:
            self._idle_until = 0.0
            self._await_head()
        super().data_received(data)
        if not awaited or self._heads != heads:  # else all of it is of a head that goes on
            return
        self._head += len(data)
        if self._head > HEAD_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE % (len(_PROBLEM), _PROBLEM))
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._within, self._head = True, 0
        self._heads += 1
        if self._head_due is not None:
            self._head_due.cancel()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._within = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._within and not self._head:
            self._idle_until = self.loop.time() + IDLE_SECONDS
        self._await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _await_head(self) -> None:
        """Of the next request, after what is left of the body of the last one."""
        if self._head_due is not None:
            self._head_due.cancel()
        self._head_due = self.loop.call_later(HEAD_SECONDS, self._stop_waiting)

    def _stop_waiting(self) -> None:
        if self.transport.get_write_buffer_size():  # the last answer is still on its way
            self._await_head()
            if self._unread is None:
                self._await_reader()
        elif self.loop.time() < self._idle_until and len(self.connections) <= ROOM:
            self._await_head()
        elif self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _await_reader(self) -> None:
        self._written = self.transport.get_write_buffer_size()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self._look_at_reader)

    def _look_at_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        if not unread:
            self._unread = None
        elif self._written - unread >= UNREAD_SECONDS * PACE:
            self._await_reader()
        else:
            _log.info("answer_not_read", client=self.client)
            self.transport.abort()


def make_room() -> None:
    """Let this process hold so many connections open, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if soft < wanted and soft != resource.RLIM_INFINITY:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
