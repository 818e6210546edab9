"""How often something may be done: so many times in any minute, for each name."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

_MINUTE = 60.0  # seconds
_MOST = 10_000  # names; that which was used longest ago is forgotten


class Rates:
    """Counts what was done in the last minute. Of one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, name: str, rate: int) -> float:
        """Count one more, if it is no more than `rate` in a minute; else the seconds until then."""
        now = self._clock()
        done = self._done.setdefault(name, deque())
        self._done.move_to_end(name)
        while done and done[0] <= now - _MINUTE:
            done.popleft()
        if len(done) >= rate:
            return done[-rate] + _MINUTE - now
        done.append(now)
        if len(self._done) > _MOST:
            self._done.popitem(last=False)
        return 0.0
