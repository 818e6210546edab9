"""What routes share: the service, a way to call it without blocking the event loop, and how the
content of documents is asked for and given.
"""

from collections.abc import Callable
from typing import Annotated, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Query, Request

from api.service import Service
from retrieval.processor import available_cores

P = ParamSpec("P")
T = TypeVar("T")

_CALLS = 32  # blocking calls side by side
_WAITS = 256  # requests that wait for jobs; kept apart, so that they hold nobody up


class Blocking:
    """Runs blocking work in threads, a bounded number at a time."""

    def __init__(self) -> None:
        self._calls = anyio.CapacityLimiter(_CALLS)
        self._waits = anyio.CapacityLimiter(_WAITS)
        self._computations = anyio.CapacityLimiter(available_cores())

    async def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work on the engine."""
        return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs), limiter=self._calls)

    async def compute(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work that keeps a core busy; as many at once as there are cores."""
        return await anyio.to_thread.run_sync(
            lambda: work(*args, **kwargs), limiter=self._computations
        )

    async def wait(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of work that mostly waits; given up with the request."""
        return await anyio.to_thread.run_sync(
            lambda: work(*args, **kwargs), limiter=self._waits, abandon_on_cancel=True
        )


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
Version = Annotated[str | None, Query(description="A version; by default the live one")]

# What a stranger uploaded is never taken for a page or a script of ours.
INERT = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
