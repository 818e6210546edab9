"""No request body is read beyond the limit, whatever its length claims to be."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import problem


class BodyLimit:
    """Answers 413 as soon as a body is, or says that it is, larger than `limit` bytes."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"")
        if declared.isdigit() and int(declared) > self._limit:
            await problem(413, "TooLarge", _detail(self._limit))(scope, receive, send)
            return
        await self._app(scope, limited(receive, self._limit), send)


def limited(receive: Receive, limit: int) -> Receive:
    """Receives a body of at most `limit` bytes. Raises HTTPException, 413."""
    received = 0

    async def within_limit() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, _detail(limit))
        return message

    return within_limit


def _detail(limit: int) -> str:
    return (
        f"The request body is larger than the limit of {limit:,} bytes. Send less at once, or "
        f"raise FOOTNOTE_MAX_UPLOAD_BYTES."
    )
