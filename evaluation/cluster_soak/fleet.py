"""Processes that share their stores: which there are, and what is done to them."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from evaluation.services.shared import Service, Stallable, stalled
from evaluation.serving_bench.server import OwnServer
from evaluation.serving_soak.calling import Downtime

Ready = Callable[[str], object]
"""Raises LoadError until the process at this URL can work."""

_BACK = 5.0  # seconds in which those who lost what all need may still be finding it again
_HANGS = 60.0  # seconds: longer than anybody waits for an object store


@dataclass(frozen=True, slots=True)
class Restart:
    """What was killed or hung, how many seconds after the beginning, and after how many more it was
    ready again.
    """

    what: str
    at: float
    recovery: float


class Fleet:
    """Those that serve and those that work, each over a folder of its own."""

    def __init__(
        self,
        serving: Sequence[OwnServer],
        working: Sequence[OwnServer],
        needed: Mapping[str, Service],
        slow: Mapping[str, Stallable],
        ready: Ready,
        downtime: Downtime,
        seed: int,
    ) -> None:
        """`needed` by all of them, as is what may be `slow`; `downtime` is that of the others."""
        self.serving, self.working = serving, working
        self.restarts: list[Restart] = []
        self._needed, self._slow = needed, slow
        self._ready, self.downtime = ready, downtime
        self._chance = random.Random(f"{seed} kills")  # noqa: S311
        self._began = perf_counter()

    def wait(self) -> None:
        """Until all of them can work. Raises LoadError where one never can."""
        for one in (*self.serving, *self.working):
            self._wait_for(one)
        self._began = perf_counter()

    def check(self) -> None:
        """Raises LoadError where one has ended by itself."""
        for one in (*self.serving, *self.working):
            one.check()

    def kill_some(self) -> None:
        """One that works, which nobody who calls may notice, and one that serves, which are
        started again side by side.
        """
        began = perf_counter()
        worker = self._chance.randrange(len(self.working))
        server = self._chance.randrange(len(self.serving))
        with self.downtime.outage(self.serving[server].url):
            self.working[worker].restart()
            self.serving[server].restart()
            self._wait_for(self.serving[server])
        self._note(f"server {server + 1}", began)
        self._wait_for(self.working[worker])
        self._note(f"worker {worker + 1}", began)

    def crash(self, name: str) -> None:
        """Something that all of them need, which is started again at once."""
        began = perf_counter()
        with self.downtime.outage(grace=_BACK):
            self._needed[name].crash()
            self._needed[name].start()
            for one in self.serving:
                self._wait_for(one)
        self._note(name, began)

    def stall(self, name: str, seconds: float = _HANGS) -> None:
        """Something that all of them need, which answers nobody for so long."""
        began = perf_counter()
        with self.downtime.outage(grace=_BACK), stalled(self._slow[name]):
            time.sleep(seconds)
        self._note(f"{name}, hanging", began)

    def _wait_for(self, one: OwnServer) -> None:
        one.wait_until(partial(self._ready, one.url))

    def _note(self, name: str, began: float) -> None:
        self.restarts.append(Restart(name, began - self._began, perf_counter() - began))


@contextmanager
def own_fleet(
    serve: Sequence[str],
    work: Sequence[str],
    counts: tuple[int, int],
    folder: Path,
    environment: Mapping[str, str],
) -> Iterator[tuple[list[OwnServer], list[OwnServer]]]:
    """So many that serve and that work, over folders in this one; ended with the block."""
    with ExitStack() as last:

        def started(command: Sequence[str], name: str, count: int) -> Iterator[OwnServer]:
            for number in range(1, count + 1):
                place = folder / f"{name}-{number}"
                place.mkdir()
                one = OwnServer(command, place, environment)
                last.callback(one.close)
                yield one

        serving, working = counts
        yield [*started(serve, "server", serving)], [*started(work, "worker", working)]
