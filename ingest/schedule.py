"""What waits for its turn, some of it for a moment yet to come."""

import heapq
import threading
import time
from itertools import count


class Schedule:
    """A queue of job ids, each due at once or after a while; first come, first served.

    A while is counted by a clock that nobody sets.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, str]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job_id: str, after: float = 0.0) -> None:
        """Let a job be taken after so many seconds, by default now."""
        with self._changed:
            due = time.monotonic() + after if after > 0 else 0.0
            heapq.heappush(self._waiting, (due, next(self._numbers), job_id))
            self._changed.notify()

    def get(self) -> str | None:
        """The next job that is due, waiting for one; None when closed."""
        with self._changed:
            while not self._closed:
                due = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if due is not None and due <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._changed.wait(due)
            return None

    def close(self) -> None:
        """Give out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
