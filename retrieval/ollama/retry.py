"""Asking again: exponential back-off with full jitter.

Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from retrieval.errors import ModelServerCrashed, ModelServerUnavailable

T = TypeVar("T")

_DOUBLED = 30  # times at most: who asks for days doesn't come to numbers that no float holds


@dataclass(frozen=True, slots=True)
class Retry:
    """How often to ask, and how long to wait in between: at most `first`, 2 `first`, ... `most`.

    `crashes` is how often to ask where the model's runner dies: it may die of the request.
    """

    attempts: int = 5
    first: float = 0.5
    most: float = 8.0
    crashes: int = 2

    def over(self, failures: int, error: Exception) -> bool:
        """Whether so many failures, the last with this error, are enough."""
        crashed = isinstance(error, ModelServerCrashed)
        return failures >= (min(self.crashes, self.attempts) if crashed else self.attempts)

    def pause(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        longest = self.first * 2.0 ** min(failures - 1, _DOUBLED)
        return random.uniform(0, min(self.most, longest))  # noqa: S311


async def persist(work: Callable[[], Awaitable[T]], retry: Retry) -> T:
    """The result of the work, tried again while the server is unavailable.

    Raises what the last attempt raised, saying how many there were.
    """
    for failures in itertools.count(1):
        try:
            return await work()
        except ModelServerUnavailable as error:
            if retry.over(failures, error):
                times = f" (tried {failures} times)" if failures > 1 else ""
                raise type(error)(f"{error}{times}", error.retry_after) from error
        await anyio.sleep(retry.pause(failures))
    raise AssertionError("an endless loop ended")
