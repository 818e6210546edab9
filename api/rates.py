"""How often something may be done: so many times in any minute, for each name."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

import anyio
import anyio.to_thread

from retrieval.database import Database
from retrieval.rates import SharedRates

_MINUTE = 60.0  # seconds
_MOST = 10_000  # names; that which was used longest ago is forgotten
_COUNTED = 4  # side by side at the database; apart from other calls, which may take long

Clock = Callable[[], float]


class Rates(Protocol):
    """Counts what was done in the last minute. Of one event loop."""

    async def take(self, name: str, rate: int) -> float:
        """Count one more, if it is no more than `rate` in a minute; else the seconds until then."""


class LocalRates:
    """See `Rates`. Counts for this process."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._done: OrderedDict[str, deque[float]] = OrderedDict()

    async def take(self, name: str, rate: int) -> float:
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


class CataloguedRates:
    """See `Rates`. Counts for all processes that share the catalogue. Raises StoreUnavailable."""

    def __init__(self, shared: SharedRates, what: str) -> None:
        """`what` is done: names of other things are counted apart."""
        self._shared = shared
        self._what = what
        self._limiter = anyio.CapacityLimiter(_COUNTED)

    async def take(self, name: str, rate: int) -> float:
        return await anyio.to_thread.run_sync(
            self._shared.take, f"{self._what} {name}", rate, limiter=self._limiter
        )


def rates_of(what: str, database: Database, clock: Clock = time.monotonic) -> Rates:
    """How often something is done, in all processes that have this catalogue open."""
    if database.shared:
        return CataloguedRates(SharedRates(database), what)
    return LocalRates(clock)
