"""No request body is read beyond its limit, whatever its length claims to be, nor waited for longer
than a slow line needs; and all that are being read have a limit together.
"""

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem
from api.shares import Room

PATIENCE = 30.0  # seconds that a body may take in any case
PACE = 1_000  # bytes a second that it must come at beyond that
ASKED = 4 * 2**20  # bytes of a question with its history, or of many to evaluate with
_KEY = 4_096  # bytes that hold a key
TOGETHER = 4  # times the largest upload: the bodies that are held at once


class Bodies:
    """The limits on bodies, and how much of them is held right now."""

    def __init__(self, uploads: int, others: int) -> None:
        """Bytes that an upload of files may have, and any other body."""
        self._uploads = uploads
        self._others = min(uploads, others)
        self._held = Room(TOGETHER * uploads)

    def limit(self, scope: Scope) -> int:
        """Bytes that the body of a request may have."""
        _, *parts = scope["path"].split("/")
        if parts == ["session"]:
            return min(self._others, _KEY)
        if parts[:1] in (["api"], ["v1"]):
            return self._others
        if len(parts) > 2 and (parts[0], parts[2]) == ("kb", "documents"):
            kind = dict(scope["headers"]).get(b"content-type", b"").lower()
            return self._others if kind.startswith(b"application/json") else self._uploads
        return min(self._others, ASKED)

    def detail(self, limit: int) -> str:
        """What to say of a body beyond the limit."""
        if limit == _KEY:
            return f"The request body is larger than the {limit:,} bytes that a key has room in."
        if limit == ASKED:
            return f"The request body is larger than the limit of {limit:,} bytes for questions."
        name = "UPLOAD" if limit == self._uploads else "REQUEST"
        return (
            f"The request body is larger than the limit of {limit:,} bytes. Send less at once, or "
            f"raise FOOTNOTE_MAX_{name}_BYTES."
        )

    async def serve(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, limit: int | None
    ) -> None:
        """Run an application that receives a body within the limits; with None, of any size, as it
        is passed on and not held.

        The application sees HTTPException: 408, 413, 503.
        """
        received, ended, due = 0, False, anyio.current_time() + PATIENCE

        async def within_limits() -> Message:
            nonlocal received, ended, due
            if ended:  # what is waited for now is that the client goes
                return await receive()
            with anyio.move_on_after(due - anyio.current_time()) as waiting:
                message = await receive()
            if waiting.cancelled_caught:
                raise HTTPException(408, _slow(received))
            size = len(message.get("body", b""))
            received += size
            due = min(due + size / PACE, anyio.current_time() + PATIENCE)
            ended = not message.get("more_body", False)
            if limit is not None:
                if received > limit:
                    raise HTTPException(413, self.detail(limit))
                if not take(size):
                    raise HTTPException(503, _FULL, {"Retry-After": "5"})
            return message

        with self._held.share() as take:
            await app(scope, within_limits, send)


class BodyLimit:
    """Answers 413 as soon as a body is, or says that it is, larger than it may be."""

    def __init__(self, app: ASGIApp, bodies: Bodies) -> None:
        self._app = app
        self._bodies = bodies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._bodies.limit(scope)
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared[:20]) > limit:
            await problem(413, "TooLarge", self._bodies.detail(limit))(scope, receive, send)
            return
        await self._bodies.serve(self._app, scope, receive, send, limit)


_FULL = (
    "As many bytes are being sent as this server holds at once, or takes of one key. Send it "
    "again in a moment."
)


def _slow(received: int) -> str:
    return (
        f"Of the request body {received:,} bytes came in time; it is waited for {PATIENCE:g} "
        f"seconds, and longer at {PACE:,} bytes a second or more."
    )
