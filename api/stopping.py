"""Answers on their way when the server is to stop: each ends as its protocol ends what failed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

import anyio

from retrieval.errors import RetrievalError

T = TypeVar("T")


class ServerStopping(RetrievalError):
    """The server stopped before an answer was whole."""

    def __init__(self) -> None:
        super().__init__("The server is stopping, and this isn't whole: ask again in a moment.")


class Stopping:
    """Interrupts what is waited for once nothing more is to be waited for."""

    def __init__(self) -> None:
        self._begun = False
        self._waits: set[anyio.CancelScope] = set()

    def begin(self) -> None:
        """From now on nobody waits."""
        self._begun = True
        for wait in [*self._waits]:
            wait.cancel()

    async def until(self, parts: AsyncGenerator[T]) -> AsyncGenerator[T]:
        """The parts as they come. Raises ServerStopping where the server stops first."""
        async with aclosing(parts):
            while True:
                with anyio.CancelScope() as wait:
                    self._waits.add(wait)
                    if self._begun:
                        wait.cancel()
                    try:
                        part = await anext(parts)
                    except StopAsyncIteration:
                        return
                    finally:
                        self._waits.discard(wait)
                if wait.cancelled_caught:
                    raise ServerStopping
                yield part
