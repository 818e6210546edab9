"""Those who follow what happens in the server, over connections that stay open."""

from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from fastapi import Depends, Request

from api.shares import Room

MAX_LISTENERS = 64


class Listeners:
    """Counts them, and lets them go when the server is about to stop."""

    def __init__(self) -> None:
        self._leaving = anyio.Event()
        self.room = Room(MAX_LISTENERS)

    async def go_on(self, seconds: float) -> bool:
        """Whether to look again after that time; false at once when the server is to stop."""
        with anyio.move_on_after(seconds):
            await self._leaving.wait()
        return not self._leaving.is_set()

    def dismiss(self) -> None:
        """Let all of them go."""
        self._leaving.set()


async def _listening(request: Request) -> AsyncIterator[Listeners]:
    """Counted in until the reply has ended. Raises Overloaded."""
    listeners: Listeners = request.app.state.listeners
    with listeners.room.place(_FULL):
        yield listeners


_FULL = "As many connections follow the queue as may, here or with one key. Try again in a moment."

ListenersOf = Annotated[Listeners, Depends(_listening)]
