"""What can be made to go wrong, in the ways in which an Ollama server does."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.wire.framing import native_error
from api.wire.refusals import Refusal

CRASHED = 'do embedding request: Post "http://127.0.0.1:40000/v1/embeddings": EOF'
BUSY = "server busy, please try again.  maximum pending requests exceeded"
DIED = "an error was encountered while running the model: unexpected EOF"


class Kind(StrEnum):
    """The ways to fail."""

    REFUSED = "refused"  # an error reply, with `status` and `text`
    SLOW = "slow"  # a pause of `seconds` before the reply
    CUT = "cut"  # the connection drops in the middle of the reply
    BYTEWISE = "bytewise"  # the reply comes byte by byte
    ZEROS = "zeros"  # vectors of zeros: what becomes of NaN
    SHORT = "short"  # vectors of another dimension
    FEWER = "fewer"  # a vector is missing
    ERROR_LINE = "error line"  # a stream ends with an error after `after` parts
    BROKEN = "broken"  # the connection drops after `after` parts of a stream
    UNFINISHED = "unfinished"  # a stream ends after `after` parts as if that were all


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail, at one path, after `skip` requests that don't, so many times."""

    kind: Kind
    path: str = "/api/embed"
    times: int = 1
    skip: int = 0
    status: int = 503
    text: str = BUSY
    seconds: float = 0.0
    after: int = 1


current: ContextVar[Fault | None] = ContextVar("fault", default=None)
"""The fault of the request in hand, for those that only a model can make."""


class Faults:
    """Lets requests fail by plan: of the faults for a path the first is used up first."""

    def __init__(self, app: ASGIApp, plan: list[Fault]) -> None:
        self._app = app
        self._plan = plan

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._take(scope["path"]) if scope["type"] == "http" else None
        current.set(fault)
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind is Kind.REFUSED:
            await native_error(Refusal(fault.status, fault.text))(scope, receive, send)
        else:
            await anyio.sleep(fault.seconds)
            await self._app(scope, receive, _altered(fault.kind, send))

    def _take(self, path: str) -> Fault | None:
        """The fault that is due at a path; the plan counts it."""
        for index, fault in enumerate(self._plan):
            if fault.path != path or not fault.times:
                continue
            if fault.skip:
                self._plan[index] = replace(fault, skip=fault.skip - 1)
                return None
            self._plan[index] = replace(fault, times=fault.times - 1)
            return fault
        return None


def _altered(kind: Kind, send: Send) -> Send:
    """The way out, by which replies are cut or come byte by byte."""

    async def cut(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            await send({**message, "body": body[: len(body) // 2], "more_body": True})
            raise ConnectionAbortedError("as planned")
        await send(message)

    async def bytewise(message: Message) -> None:
        if message["type"] == "http.response.body":
            for byte in message.get("body", b""):
                await send({**message, "body": bytes([byte]), "more_body": True})
            await send({**message, "body": b""})
        else:
            await send(message)

    return {Kind.CUT: cut, Kind.BYTEWISE: bytewise}.get(kind, send)
