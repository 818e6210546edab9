"""Requests that come when they come, whether or not those before them are answered.

A client that waits for an answer before it asks again asks less the slower the server is, and so
doesn't see what others would have waited: "coordinated omission" (Tene, "How NOT to Measure
Latency", 2013; Schroeder, Wierman, Harchol-Balter, "Open Versus Closed: A Cautionary Tale",
NSDI 2006). So each latency counts from the moment that its request was due.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from retrieval.errors import RetrievalError

Submit = Callable[[int], "Future[Any]"]
"""Begins the request of this number."""


def arrivals(rate: float, seed: int) -> Iterator[float]:
    """Seconds from the beginning at which requests are due: independent of each other (Poisson),
    without an end.
    """
    chance = np.random.default_rng(seed)
    due = 0.0
    while True:
        due += float(chance.exponential(1 / rate))
        yield due


def poisson(rate: float, count: int, seed: int) -> list[float]:
    """The first so many of these moments."""
    return list(islice(arrivals(rate, seed), count))


def open_loop(
    due: Iterable[float],
    submit: Submit,
    patience: float,
    now: Callable[[], float] = time.perf_counter,
    pause: Callable[[float], None] = time.sleep,
) -> list[float | None]:
    """Seconds from when each request was due to its answer; None where none came, which isn't
    waited for any longer than `patience` seconds after the last request.
    """
    latencies: list[float | None] = []
    moments: list[float] = []
    answers: SimpleQueue[tuple[int, float | None]] = SimpleQueue()
    pending: list[Future[Any]] = []
    began = now()
    for number, moment in enumerate(due):
        ahead = began + moment - now()
        if ahead > 0:
            pause(ahead)
        moments.append(moment)
        latencies.append(None)
        try:
            future = submit(number)
        except RetrievalError:  # refused: too many wait
            continue
        pending.append(future)
        future.add_done_callback(lambda one, at=number: answers.put((at, _end(one, now))))  # type: ignore[misc]
    deadline = now() + patience
    for _ in pending:
        try:
            number, end = answers.get(timeout=max(0.0, deadline - now()))
        except Empty:
            break
        if end is not None:
            latencies[number] = end - began - moments[number]
    for future in pending:
        future.cancel()
    return latencies


def _end(future: "Future[Any]", now: Callable[[], float]) -> float | None:
    return None if future.cancelled() or future.exception() else now()


def percentile(latencies: Sequence[float | None], share: float) -> float | None:
    """The latency that a share of all requests don't exceed; None where that many weren't
    answered.
    """
    ordered = sorted(math.inf if one is None else one for one in latencies)
    found = ordered[max(0, math.ceil(share * len(ordered)) - 1)]
    return None if math.isinf(found) else found
