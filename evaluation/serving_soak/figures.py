"""What came of a soak, as it is reported."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from evaluation.open_loop import percentile
from evaluation.serving_soak.calling import Kind
from evaluation.serving_soak.faults import Fault
from evaluation.serving_soak.memory import Slope


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls that no restart came upon: how many, a second, and milliseconds."""

    kind: str
    count: int
    rate: float
    p50: float
    p95: float
    p99: float


def calls_of(took: Mapping[Kind, Sequence[float]], seconds: float) -> tuple[CallFigures, ...]:
    """Of the seconds that calls took within so many."""
    return tuple(
        CallFigures(
            kind=kind.value,
            count=len(took[kind]),
            rate=len(took[kind]) / seconds,
            p50=1e3 * (percentile(took[kind], 0.5) or 0.0),
            p95=1e3 * (percentile(took[kind], 0.95) or 0.0),
            p99=1e3 * (percentile(took[kind], 0.99) or 0.0),
        )
        for kind in Kind
        if kind in took
    )


@dataclass(frozen=True, slots=True)
class LifeFigures:
    """A process from when it was ready, `recovery` seconds after the kill before it; its memory in
    megabytes, and the slope of that after its warm-up.
    """

    seconds: float
    recovery: float | None
    peak: float | None
    slope: Slope | None


@dataclass(frozen=True, slots=True)
class SoakFigures:
    """`acts` are of clients, some calls each; `lost` calls were cut off and may have been done."""

    machine: str
    made: date
    command: str
    server: str
    minutes: float
    clients: int
    kills: int
    seed: int
    acts: int
    documents: int
    written: int
    deleted: int
    lost: int
    retries: Mapping[str, int]
    calls: tuple[CallFigures, ...]
    lives: tuple[LifeFigures, ...]
    doctor: tuple[str, ...]
    counts: Mapping[str, int]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]

    @property
    def grown(self) -> bool:
        """Whether a process took more and more memory."""
        return any(life.slope is not None and life.slope.grows for life in self.lives)

    @property
    def sound(self) -> bool:
        return not self.counts and not self.grown

    def to_json(self) -> dict[str, Any]:
        made = {"made": self.made.isoformat(), "grown": self.grown, "sound": self.sound}
        return {**asdict(self), **made}
