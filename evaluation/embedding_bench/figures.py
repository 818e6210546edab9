"""What was measured, as it is reported; from and to JSON as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import TypeAdapter

from evaluation.latency import Latency
from evaluation.significance import Difference, Interval, Median


@dataclass(frozen=True, slots=True)
class Texts:
    """A set that was embedded. Tokens are of all its texts, special ones included, by the first
    model's tokenizer, None where there was none; `cut` texts were longer than a window.
    """

    name: str
    count: int
    tokens: int | None
    shortest: int | None
    longest: int | None
    cut: int


@dataclass(frozen=True, slots=True)
class Speed:
    """Of a target on a set. Rates a second; `ratio` is to the first target, round by round.

    `flops` a second are those that the texts need, padding not counted; `share` is of the peak
    that this machine reached in the same run.
    """

    seconds: tuple[float, ...]
    texts: Median
    tokens: Median | None
    ratio: Median | None
    flops: float | None
    share: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Cosines of a target's vectors with the reference's, of the same texts."""

    mean: float
    least: float


@dataclass(frozen=True, slots=True)
class Quality:
    """nDCG@10 of exact dense search, and how much higher it is than the first target's."""

    ndcg: Interval
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Result:
    """All of a target; None and empty what wasn't measured, or isn't known of a server.

    Memory in megabytes. `capacity` is how many single texts a second it embeds when many wait.
    """

    name: str
    kind: str
    model: str
    backend: str
    budget: int | None
    failed: str
    dtype: str
    device: str
    load_seconds: float | None
    memory: float | None
    peak_memory: float | None
    gpu_memory: float | None
    speeds: Mapping[str, Speed]
    capacity: float | None
    latencies: tuple[Latency, ...]
    agreement: Agreement | None
    quality: Quality | None


@dataclass(frozen=True, slots=True)
class Bench:
    """A run of the benchmark. `first` is what ratios and differences are to, `reference` what
    cosines are with; `peaks` are FLOP/s of matrix products by precision.
    """

    machine: str
    made: date
    command: str
    versions: Mapping[str, str]
    threads: int
    rounds: int
    seed: int
    request_texts: int
    requests: int
    first: str
    reference: str
    peaks: Mapping[str, float]
    sets: tuple[Texts, ...]
    quality_set: str
    notes: tuple[str, ...]
    results: tuple[Result, ...]

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.failed)

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = _BENCH.dump_python(self, mode="json")
        return found

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Bench":
        return _BENCH.validate_python(value)


_BENCH: TypeAdapter[Bench] = TypeAdapter(Bench)
