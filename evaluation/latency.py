"""How long requests waited that came at a rate, in figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.open_loop import percentile

SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of what something bears: the rates that it is measured at."""


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
