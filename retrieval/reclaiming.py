"""Original bytes that nobody needs any more are deleted beside all other work.

An object store may take long to answer, or never do. Who removed a document, or whose upload came
to nothing, doesn't wait for it; nor does anybody else. What can't be deleted is tried again, later
and later, as long as the process lives.
"""

import math
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import structlog

from retrieval import removal
from retrieval.database import Database
from retrieval.errors import StillHeld, StoreUnavailable
from retrieval.ports import Blobs
from retrieval.side_by_side import AT_ONCE

_log = structlog.get_logger()

_FIRST, _LONGEST = 1.0, 300.0  # seconds until the next attempt, each twice as long as the last
_CLOSING = 5.0  # seconds for which it still begins to delete when it is closed


class Reclaimer:
    """Deletes original bytes in a thread of its own. Any thread may call it."""

    def __init__(self, database: Database, blobs: Blobs) -> None:
        self._database = database
        self._blobs = blobs
        self._waiting: dict[str, None] = {}  # without values: a set that keeps its order
        self._failed: dict[str, None] = {}
        self._again = math.inf  # when those are tried again
        self._pause = _FIRST
        self._busy = False
        self._ends = math.inf  # when nothing more is begun
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="reclaimer", daemon=True)

    def release(self, candidates: Iterable[str]) -> None:
        """Delete those that no version and no unfinished job refers to, soon. What is left when
        this is closed, or comes then, is found by a process that looks for it.
        """
        with self._changed:
            self._waiting.update(dict.fromkeys(candidates))
            if self._waiting and self._thread.ident is None and self._ends == math.inf:
                self._thread.start()
            self._changed.notify_all()

    def settle(self) -> None:
        """Wait until all that were named so far are deleted, or couldn't be just now."""
        with self._changed:
            self._retry()
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._waiting and not self._busy)

    def close(self) -> None:
        """Delete what waits, for a few seconds, then stop."""
        with self._changed:
            self._ends = time.monotonic() + _CLOSING
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        if left := len(self._waiting | self._failed):
            _log.warning("unused_originals_left", blobs=left)

    def _run(self) -> None:
        while some := self._take():
            self._keep(some, self._delete(some))

    def _take(self) -> Sequence[str]:
        """Some that wait, once there are any; none when it is closed."""
        with self._changed:
            while not self._waiting and self._ends == math.inf:
                left = self._again - time.monotonic()
                self._changed.wait(None if left == math.inf else max(left, 0.0))
                if time.monotonic() >= self._again:
                    self._retry()
            if time.monotonic() >= self._ends:
                return []
            some = [*islice(self._waiting, AT_ONCE)]
            for digest in some:
                del self._waiting[digest]
            self._busy = bool(some)
            return some

    def _delete(self, some: Sequence[str]) -> Mapping[str, Exception]:
        try:
            return removal.delete_unused(self._database, self._blobs, some)
        except Exception as error:  # noqa: BLE001 - it is logged, and they are tried again
            return dict.fromkeys(some, error)

    def _keep(self, some: Sequence[str], failures: Mapping[str, Exception]) -> None:
        """Put off what couldn't be deleted; and where nothing of so many could, all that waits: the
        store is away. What wasn't tried comes first then, so that it isn't always the same.
        """
        held = any(isinstance(error, StillHeld) for error in failures.values())
        with self._changed:
            if len(failures) == AT_ONCE and not held:
                self._failed = self._waiting | self._failed
                self._waiting = {}
            self._failed |= dict.fromkeys(failures)
            if len(failures) < len(some):
                self._pause = _FIRST
            if failures and self._again == math.inf:
                self._tell(next(iter(failures.values())))
                self._again = time.monotonic() + self._pause
                self._pause = min(2 * self._pause, _LONGEST)
            self._busy = False
            self._changed.notify_all()

    def _tell(self, error: Exception) -> None:
        """Once an attempt, whatever number of them comes to nothing."""
        _log.warning(
            "unused_originals_left",
            blobs=len(self._failed),
            again_in=self._pause,
            error=str(error),
            exc_info=None if isinstance(error, StoreUnavailable) else error,
        )

    def _retry(self) -> None:
        self._waiting |= self._failed
        self._failed = {}
        self._again = math.inf
