"""How long requests waited that came at a rate, in figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.open_loop import percentile, poisson

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of what something bears: the rates that it is measured at."""

_FEWEST = 20  # requests a rate
_LONGEST = 4  # times as long as was asked for, to have as many: some chat models take minutes


@dataclass(frozen=True, slots=True)
class Load:
    """Rates to come at, or shares of what each one bears; for so many seconds each."""

    rates: tuple[float, ...]
    seconds: float
    seed: int

    @property
    def steps(self) -> int:
        return len(self.rates or SHARES) if self.seconds else 0

    def rate(self, step: int, capacity: float) -> float:
        """Of a step, for one that bears so many requests a second."""
        return self.rates[step] if self.rates else SHARES[step] * capacity

    def arrivals(self, rate: float, turn: int = 0) -> list[float]:
        """When requests are due, in seconds from the beginning; others in each turn."""
        wanted = max(_FEWEST, round(rate * self.seconds))
        count = min(wanted, max(1, round(_LONGEST * rate * self.seconds)))
        return poisson(rate, count, self.seed + turn)


@dataclass(frozen=True, slots=True)
class Latency:
    """Of requests that came at `rate` a second, `share` of what is borne; in milliseconds from
    when each was due. None: so many weren't answered.
    """

    rate: float
    share: float
    requests: int
    unanswered: int
    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, rate: float, share: float, taken: Sequence[float | None]) -> "Latency":
        """By the seconds of each request; None where no answer came."""
        return cls(
            rate=rate,
            share=share,
            requests=len(taken),
            unanswered=sum(one is None for one in taken),
            p50=_milliseconds(taken, 0.5),
            p95=_milliseconds(taken, 0.95),
            p99=_milliseconds(taken, 0.99),
        )


def _milliseconds(taken: Sequence[float | None], share: float) -> float | None:
    found = percentile(taken, share)
    return None if found is None else found * 1e3
