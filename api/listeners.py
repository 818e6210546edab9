"""Those who follow what happens in the server, over connections that stay open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import anyio
from fastapi import Depends, Request

from retrieval.errors import Overloaded

MAX_LISTENERS = 64


class Listeners:
    """Counts them, and lets them go when the server is about to stop."""

    def __init__(self) -> None:
        self._leaving = anyio.Event()
        self.number = 0

    def check_room(self) -> None:
        """Raises Overloaded where there are as many as may be."""
        if self.number >= MAX_LISTENERS:
            raise Overloaded(
                f"{self.number} connections follow the queue already; {MAX_LISTENERS} may."
            )

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Count one in for as long as the block lasts."""
        self.number += 1
        try:
            yield
        finally:
            self.number -= 1

    async def go_on(self, seconds: float) -> bool:
        """Whether to look again after that time; false at once when the server is to stop."""
        with anyio.move_on_after(seconds):
            await self._leaving.wait()
        return not self._leaving.is_set()

    def dismiss(self) -> None:
        """Let all of them go."""
        self._leaving.set()


def _listeners(request: Request) -> Listeners:
    listeners: Listeners = request.app.state.listeners
    return listeners


ListenersOf = Annotated[Listeners, Depends(_listeners)]
