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
            await problem(413, "TooLarge", self._detail())(scope, receive, send)
            return
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise HTTPException(413, self._detail())
            return message

        await self._app(scope, limited, send)

    def _detail(self) -> str:
        return (
            f"The request body is larger than the limit of {self._limit:,} bytes. Send fewer "
            f"files at once, or raise FOOTNOTE_MAX_UPLOAD_BYTES."
        )
