"""What was wrong, with the request and the reply that show it."""

from collections import Counter
from dataclasses import dataclass
from time import perf_counter

_KEPT = 25  # of a kind with all that was said: many of one don't hide another
_SAID = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that must not be; `at` seconds after the beginning."""

    kind: str
    what: str
    request: str
    reply: str
    at: float


class Faults:
    """Counts all by their kind, and keeps the first of each."""

    def __init__(self) -> None:
        self._began = perf_counter()
        self.counts: Counter[str] = Counter()
        self.kept: list[Fault] = []

    def add(self, kind: str, what: str, request: str = "", reply: str = "") -> None:
        self.counts[kind] += 1
        if self.counts[kind] <= _KEPT:
            at = perf_counter() - self._began
            self.kept.append(Fault(kind, what, request[:_SAID], reply[:_SAID], at))
