"""What came of all runs: rates by workers, and what was full where they stopped growing."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from statistics import median as middle
from typing import Any

from evaluation.significance import Median, median
from evaluation.worker_scaling.runs import Run

_GROWS = 1.05  # times the rate with one worker less
_FULL = 0.9

_S3 = "S3"  # one Python process, which has one core's worth of time


@dataclass(frozen=True, slots=True)
class Scale:
    """All runs of so many workers over so many knowledge bases. Rates a second; the others are
    medians: cores' worth of time by who took it, shares of what is `used` up, milliseconds a
    document by stage, and how many processes waited for their turn on average.
    """

    workers: int
    knowledge_bases: int
    documents: Median
    chunks: Median
    cores: Mapping[str, float]
    used: Mapping[str, float]
    stages: Mapping[str, float]
    wait_to_write: float
    wait_to_publish: float


@dataclass(frozen=True, slots=True)
class Growth:
    """Over so many knowledge bases documents/s grow up to so many `workers`, or with each more;
    where they end to, `full` are those of what is `used` that are.
    """

    knowledge_bases: int
    rates: tuple[float, ...]
    workers: int
    grows_on: bool
    used: Mapping[str, float]
    cores: Mapping[str, float]

    @property
    def full(self) -> tuple[str, ...]:
        return tuple(name for name, share in self.used.items() if share >= _FULL)


@dataclass(frozen=True, slots=True)
class ScalingFigures:
    """`documents` of so many pages each, in every run, made `chunks`."""

    machine: str
    made: date
    command: str
    model: str
    cores: int
    documents: int
    pages: int
    chunks: int
    rounds: int
    runs: tuple[Run, ...]
    notes: tuple[str, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(
            f"{run.workers} workers, {run.knowledge_bases} knowledge bases: {fault}"
            for run in self.runs
            for fault in run.faults
        )

    @property
    def sound(self) -> bool:
        return not self.faults

    @property
    def scales(self) -> tuple[Scale, ...]:
        """By knowledge bases, then workers."""
        kinds = sorted({(run.knowledge_bases, run.workers) for run in self.runs})
        return tuple(
            scale_of([run for run in self.runs if (run.knowledge_bases, run.workers) == kind])
            for kind in kinds
        )

    @property
    def growths(self) -> tuple[Growth, ...]:
        """Of those that share their stores."""
        shared = [scale for scale in self.scales if scale.workers]
        counts = sorted({scale.knowledge_bases for scale in shared})
        return tuple(
            growth_of([one for one in shared if one.knowledge_bases == count]) for count in counts
        )

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "made": self.made.isoformat(),
            "scales": [asdict(one) for one in self.scales],
            "growths": [{**asdict(one), "full": one.full} for one in self.growths],
            "faults": self.faults,
            "sound": self.sound,
        }


def scale_of(runs: Sequence[Run]) -> Scale:
    """What several runs of one kind came to."""

    def each(value: Callable[[Run], Mapping[str, float]]) -> dict[str, float]:
        found = [value(run) for run in runs]
        return {name: middle([one[name] for one in found]) for name in found[0]}

    return Scale(
        workers=runs[0].workers,
        knowledge_bases=runs[0].knowledge_bases,
        documents=median([run.documents / run.seconds for run in runs]),
        chunks=median([run.chunks / run.seconds for run in runs]),
        cores=each(_cores),
        used=each(lambda run: dict(_used(run))),
        stages=each(lambda run: {n: 1e3 * s / run.documents for n, s in run.stages.items()}),
        wait_to_write=middle([run.writing.waiting for run in runs]),
        wait_to_publish=middle([run.publishing.waiting for run in runs]),
    )


def growth_of(scales: Sequence[Scale]) -> Growth:
    """How rates grow with workers, of which each scale has one more than the one before."""
    rates = [scale.documents.value for scale in scales]
    more = [later >= _GROWS * rate for rate, later in pairwise(rates)]
    at = next((place for place, grows in enumerate(more) if not grows), len(more))
    return Growth(
        knowledge_bases=scales[0].knowledge_bases,
        rates=tuple(rates),
        workers=scales[at].workers,
        grows_on=at == len(more),
        used=scales[at].used,
        cores=scales[at].cores,
    )


def _cores(run: Run) -> dict[str, float]:
    """Cores' worth of time, by who took it; the rest is what others did on this machine."""
    ours = {name: seconds / run.seconds for name, seconds in run.processors.items()}
    return {**ours, "others": max(0.0, run.busy / run.seconds - sum(ours.values()))}


def _used(run: Run) -> Iterator[tuple[str, float]]:
    """What no run can have more of than there is, and the share of it that this one had."""
    yield "the cores", run.busy / run.seconds / run.cores
    yield "a worker's Python", run.busiest / run.seconds
    if run.workers:
        yield "the S3 stand-in's Python", run.processors[_S3] / run.seconds
        yield "the turn to write to the catalogue", run.writing.taken
        yield "the turns to publish", run.publishing.taken / run.knowledge_bases
