"""The lives of a server: it is killed at random moments, started again, and watched meanwhile."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import anyio
import anyio.to_thread

from evaluation.serving_bench.server import OwnServer
from evaluation.serving_soak.calling import Downtime

_LOOK = 1.0  # seconds between two looks at its memory
_SPREAD = 0.2  # of a life: how much earlier or later than planned it ends


@dataclass(slots=True)
class Life:
    """From when it was ready: what memory it took, as megabytes by seconds; `recovery` is
    from the kill before it.
    """

    recovery: float | None
    samples: list[tuple[float, float]] = field(default_factory=list)


def moments(minutes: float, kills: int, seed: int) -> list[float]:
    """When to kill, in seconds from the beginning: lives of about the same length."""
    chance = random.Random(f"{seed} kills")  # noqa: S311
    life = 60 * minutes / (kills + 1)
    return [life * (at + 1 + chance.uniform(-_SPREAD, _SPREAD)) for at in range(kills)]


class Lives:
    """Of one server. `ready` raises LoadError until it can work."""

    def __init__(self, server: OwnServer, ready: Callable[[], object], downtime: Downtime) -> None:
        self._server, self._ready, self._downtime = server, ready, downtime
        self.all = [Life(None)]

    async def watch(self, kills: list[float], seconds: float, tell: Callable[[int], None]) -> None:
        """Kill at these moments, until the time is up. Raises LoadError where it ends by itself, or
        doesn't come back.
        """
        began, waiting = perf_counter(), list(kills)
        since = began
        while (elapsed := perf_counter() - began) < seconds:
            tell(int(elapsed))
            if waiting and elapsed >= waiting[0]:
                waiting.pop(0)
                await anyio.to_thread.run_sync(self._restarted)
                since = perf_counter()
            self._server.check()
            if (megabytes := self._server.memory()) is not None:
                self.all[-1].samples.append((perf_counter() - since, megabytes))
            await anyio.sleep(_LOOK)
        tell(int(seconds))

    def _restarted(self) -> None:
        began = perf_counter()
        with self._downtime.outage():
            self._server.restart()
            self._server.wait_until(self._ready)
        self.all.append(Life(perf_counter() - began))
