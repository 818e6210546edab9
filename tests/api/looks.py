"""When those who follow something over HTTP look at it, so that a test needn't guess."""

import threading

import pytest

from api.listeners import Listeners


class Looks:
    """Counts how often somebody has told all there was, and waits to look again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._count = 0
        self._changed = threading.Condition()
        go_on = Listeners.go_on

        async def counted(listeners: Listeners, seconds: float) -> bool:
            with self._changed:
                self._count += 1
                self._changed.notify_all()
            return await go_on(listeners, seconds)

        monkeypatch.setattr(Listeners, "go_on", counted)

    def wait_for(self, more: int) -> None:
        """Until there were so many more."""
        with self._changed:
            count = self._count + more
            assert self._changed.wait_for(lambda: self._count >= count, 60)
