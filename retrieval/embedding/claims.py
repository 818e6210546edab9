"""Who embeds which text just now, so that no two embed the same one."""

import threading
from collections.abc import Iterable


class Claims:
    """Keys, each held by at most one. Any thread may call it."""

    def __init__(self) -> None:
        self._held: set[tuple[str, str]] = set()
        self._changed = threading.Condition()

    def take(self, model: str, keys: Iterable[str]) -> set[str]:
        """Those of a model's keys that nobody held; they are the caller's until it releases them.

        Who holds some and waits for others may wait forever: release first.
        """
        with self._changed:
            free = {key for key in keys if (model, key) not in self._held}
            self._held |= {(model, key) for key in free}
            return free

    def release(self, model: str, keys: Iterable[str]) -> None:
        with self._changed:
            self._held -= {(model, key) for key in keys}
            self._changed.notify_all()

    def wait(self, model: str, keys: Iterable[str], seconds: float) -> bool:
        """Whether nobody holds any of these keys, now or within that time."""
        wanted = {(model, key) for key in keys}
        with self._changed:
            return self._changed.wait_for(lambda: not (wanted & self._held), seconds)
