"""Each request from its first byte to its last: an id, a line in the log, a count.

The line has the method, the path, the status, the sizes and times, and nothing that was asked or
sent: no query string (`?search=` is one), no header but the id, no body.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import request_ids
from api.metrics.work import UNMATCHED, RequestCounts
from api.tracing import Tracing

_log = structlog.get_logger()

_PATH = 200  # characters of it that are logged; what matches a route is shorter, but for its names
_PROBES = frozenset({"/health", "/ready", "/metrics"})  # asked every few seconds


class Access:
    """The outermost layer of the application: whatever answers below, it is told here."""

    def __init__(self, app: ASGIApp, counts: RequestCounts, tracing: Tracing | None = None) -> None:
        self._app = app
        self._counts = counts
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.of(scope)
        visit = _Visit(send, request_id)
        with ExitStack() as stack:
            stack.enter_context(request_ids.known(request_id))
            stack.enter_context(self._counts.under_way.track_inprogress())
            ended = stack.enter_context(self._tracing.request(scope)) if self._tracing else None
            try:
                await self._app(scope, receive, visit.send)
            except Exception:
                # Answered with a problem, and logged, unless the reply was on its way already.
                if not visit.complete:
                    _log.exception("reply_broke_off", path=scope["path"][:_PATH])
                    raise
            finally:
                route = getattr(scope.get("route"), "path", UNMATCHED)
                self._tell(scope, route, visit)
                if ended:
                    ended(route, visit.status, request_id)

    def _tell(self, scope: Scope, route: str, visit: "_Visit") -> None:
        seconds = time.perf_counter() - visit.began
        self._counts.answered(route, scope["method"], visit.status, seconds)
        quiet = route in _PROBES and visit.status < 400
        (_log.debug if quiet else _log.info)(
            "request",
            method=scope["method"][:16],
            path=scope["path"][:_PATH],
            route=route,
            status=visit.status,
            ms=round(seconds * 1000, 1),
            first_byte_ms=round((visit.first or seconds) * 1000, 1),
            bytes=visit.size,
            client=(scope.get("client") or ("",))[0],
            **({} if visit.complete else {"broke_off": True}),
        )


@dataclass(slots=True)
class _Visit:
    """What has been sent so far. `first`: seconds to the first byte of the reply's body."""

    _send: Send
    _request_id: str
    began: float = field(default_factory=time.perf_counter)
    first: float = 0.0
    status: int = 0
    size: int = 0
    complete: bool = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            MutableHeaders(scope=message)[request_ids.HEADER] = self._request_id
        elif message["type"] == "http.response.body":
            self.first = self.first or time.perf_counter() - self.began
            self.size += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)
        await self._send(message)
