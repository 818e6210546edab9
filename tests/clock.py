"""Time that passes as tests want it to."""

import asyncio
from typing import Any


class Clock:
    """A clock that only tests move, in seconds."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FastLoop(asyncio.SelectorEventLoop):
    """Its clock jumps to the next thing that is due, where nothing else is to be done."""

    def __init__(self) -> None:
        self._ahead = 0.0
        super().__init__()
        self._select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return super().time() + self._ahead

    def _jump(self, timeout: float | None) -> Any:
        ready = self._select(0)
        if not ready and timeout is not None:
            self._ahead += timeout
        return ready
