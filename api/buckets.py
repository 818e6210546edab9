"""How often something may be done: a bucket that fills by the minute, one a name."""

import time
from collections.abc import Callable
from dataclasses import dataclass

_MOST = 10_000  # buckets; those that are full again are forgotten


@dataclass(slots=True)
class _Bucket:
    rate: int
    left: float
    at: float


class Buckets:
    """Buckets of `rate` drops, which fill up within a minute. Of one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, name: str, rate: int) -> float:
        """Seconds until there is a drop; 0 where there is one."""
        bucket = self._filled(name, rate)
        return max(0.0, (1.0 - bucket.left) * 60.0 / rate)

    def take(self, name: str, rate: int) -> float:
        """Take a drop, if there is one; else the seconds until there is."""
        if seconds := self.wait(name, rate):
            return seconds
        self._buckets[name].left -= 1.0
        return 0.0

    def _filled(self, name: str, rate: int) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(name)
        if bucket is None:
            if len(self._buckets) >= _MOST:
                self._forget_full(now)
            bucket = self._buckets[name] = _Bucket(rate, float(rate), now)
        bucket.rate = rate
        bucket.left = min(float(rate), bucket.left + (now - bucket.at) * rate / 60.0)
        bucket.at = now
        return bucket

    def _forget_full(self, now: float) -> None:
        self._buckets = {
            name: one
            for name, one in self._buckets.items()
            if one.left + (now - one.at) * one.rate / 60.0 < one.rate
        }
