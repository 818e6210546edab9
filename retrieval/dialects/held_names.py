"""Names that threads of one process hold."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from retrieval.errors import StillHeld


class HeldNames:
    """Each is held by one thread at a time."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, names: Iterable[str], seconds: float) -> Iterator[None]:
        """Nobody else holds one of them meanwhile. Raises StillHeld after so many seconds,
        as `wait` does.
        """
        wanted = {*names}
        with self._changed:
            self._wait(wanted, seconds)
            self._held |= wanted
        try:
            yield
        finally:
            with self._changed:
                self._held -= wanted
                self._changed.notify_all()

    def wait(self, names: Iterable[str], seconds: float) -> None:
        """Return when nobody holds any of them."""
        with self._changed:
            self._wait({*names}, seconds)

    def _wait(self, wanted: set[str], seconds: float) -> None:
        if not self._changed.wait_for(lambda: not wanted & self._held, seconds):
            raise StillHeld(f"Something else has been at the same for {seconds:g} s.")
