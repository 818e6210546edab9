"""What routes share: the service, a way to call it without blocking the event loop, and how the
content of documents is asked for and given.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Annotated, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Query, Request

from api.service import Service
from api.shares import Room
from retrieval.processor import available_cores

P = ParamSpec("P")
T = TypeVar("T")

_CALLS = 32  # blocking calls side by side
_MOVES = 32  # documents on their way from a client, a web server or their store; kept apart, too
_WAITS = 256  # requests that wait for jobs or pages; kept apart, so that they hold nobody up
_NO_PLACE = "As many requests wait as may, here or with one key. Try again in a moment."


class Blocking:
    """Runs blocking work in threads, a bounded number at a time."""

    def __init__(self) -> None:
        self._calls = anyio.CapacityLimiter(_CALLS)
        self._moves = anyio.CapacityLimiter(_MOVES)
        self._waits, self._places = anyio.CapacityLimiter(_WAITS), Room(_WAITS)
        self._computations = anyio.CapacityLimiter(available_cores())

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work on the engine."""
        return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs), limiter=self._calls)

    async def move(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work that moves original bytes: who has or takes them may never answer."""
        return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs), limiter=self._moves)

    async def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work that keeps a core busy; as many at once as there are cores."""
        return await anyio.to_thread.run_sync(
            lambda: work(*args, **kwargs), limiter=self._computations
        )

    async def wait(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work that mostly waits, in a `place`; given up with the request."""
        return await anyio.to_thread.run_sync(
            lambda: work(*args, **kwargs), limiter=self._waits, abandon_on_cancel=True
        )

    def place(self) -> AbstractContextManager[None]:
        """A place to wait in, until the block ends. Raises Overloaded."""
        return self._places.place(_NO_PLACE)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of blocking work, for commands, which have nobody else to serve."""
    return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs))


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _blocking(request: Request) -> Blocking:
    blocking: Blocking = request.app.state.blocking
    return blocking


ServiceOf = Annotated[Service, Depends(_service)]
BlockingOf = Annotated[Blocking, Depends(_blocking)]


async def _waiting(blocking: BlockingOf) -> AsyncIterator[Blocking]:
    with blocking.place():
        yield blocking


WaitingOf = Annotated[Blocking, Depends(_waiting)]
Version = Annotated[str | None, Query(description="A version; by default the live one")]

# What a stranger uploaded is never taken for a page or a script of ours.
INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
