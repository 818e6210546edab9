"""What waits for its turn, some of it for a moment yet to come."""

import heapq
import threading
import time
from collections import deque
from itertools import count


class Schedule:
    """A queue of job ids, each due at once or after a while.

    Whose last turn is the longest ago has the next one, a knowledge base say; of one it is first
    come, first served. A while is counted by a clock that nobody sets.
    """

    def __init__(self) -> None:
        self._later: list[tuple[float, int, str, str]] = []  # when, in which order, whose, what
        self._due: dict[str, deque[str]] = {}
        self._turns: list[tuple[int, int, str]] = []  # of those with something due
        self._last_turns: dict[str, int] = {}
        self._numbers = count(1)
        self._changed = threading.Condition()
        self._closed = False

    def put(self, job_id: str, whose: str, after: float = 0.0) -> None:
        """Let a job be taken after so many seconds, by default now."""
        with self._changed:
            if after > 0:
                due = time.monotonic() + after
                heapq.heappush(self._later, (due, next(self._numbers), whose, job_id))
            else:
                self._line_up(whose, job_id)
            self._changed.notify()

    def get(self) -> str | None:
        """The next job that is due, waiting for one; None when closed."""
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                while self._later and self._later[0][0] <= now:
                    _, _, whose, job_id = heapq.heappop(self._later)
                    self._line_up(whose, job_id)
                if self._turns:
                    return self._next()
                self._changed.wait(self._later[0][0] - now if self._later else None)
            return None

    def close(self) -> None:
        """Give out nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _line_up(self, whose: str, job_id: str) -> None:
        if whose not in self._due:
            self._due[whose] = deque()
            self._await_turn(whose)
        self._due[whose].append(job_id)

    def _next(self) -> str:
        _, _, whose = heapq.heappop(self._turns)
        self._last_turns[whose] = next(self._numbers)
        job_id = self._due[whose].popleft()
        if self._due[whose]:
            self._await_turn(whose)
        else:
            del self._due[whose]
        return job_id

    def _await_turn(self, whose: str) -> None:
        turn = (self._last_turns.get(whose, 0), next(self._numbers), whose)
        heapq.heappush(self._turns, turn)
