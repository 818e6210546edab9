"""What comes of the seconds, vectors and runs that were measured: the figures of each target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.embedding_bench.agreement import agreement, is_comparable
from evaluation.embedding_bench.cutting import Counted
from evaluation.embedding_bench.figures import Agreement, Result, Speed
from evaluation.embedding_bench.flops import architecture_of
from evaluation.embedding_bench.messages import Footprint, Loaded
from evaluation.embedding_bench.peak import peak_of
from evaluation.embedding_bench.quality import qualities
from evaluation.embedding_bench.targets import Target
from evaluation.embedding_bench.throughput import Seconds
from evaluation.judging import Judged
from evaluation.latency import Latency
from evaluation.significance import Median, median
from retrieval.types import Vectors


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything by the name of its target; one that failed lacks what came after."""

    counted: Sequence[Counted]
    loaded: Mapping[str, Loaded]
    peaks: Mapping[str, float]
    vectors: Mapping[str, Mapping[str, Vectors]]
    seconds: Seconds
    capacity: Mapping[str, float]
    latencies: Mapping[str, Sequence[Latency]]
    runs: Mapping[str, Judged]
    footprints: Mapping[str, Footprint]


def results_of(
    targets: Sequence[Target],
    failures: Mapping[str, str],
    found: Measured,
    first: str,
    reference: str,
) -> tuple[Result, ...]:
    """A result a target, in the order of the targets. Speeds of one that failed are left out."""
    held = next((one for one in targets if one.name == reference), None)
    quality = qualities(found.runs, first)
    results = []
    for target in targets:
        name = target.name
        failed = failures.get(name, "")
        loaded = found.loaded.get(name, Loaded())
        footprint = found.footprints.get(name, Footprint())
        results.append(
            Result(
                name=name,
                kind=target.kind,
                model=target.model,
                backend=target.backend,
                budget=target.budget or loaded.batch_tokens,
                failed=failed,
                dtype=loaded.dtype,
                device=loaded.device,
                load_seconds=loaded.seconds,
                memory=loaded.memory,
                peak_memory=footprint.peak,
                gpu_memory=footprint.gpu,
                speeds={} if failed else _speeds(target, found, first),
                capacity=found.capacity.get(name),
                latencies=tuple(found.latencies.get(name, ())),
                agreement=_agreement(target, held, found),
                quality=quality.get(name),
            )
        )
    return tuple(results)


def _speeds(target: Target, found: Measured, first: str) -> dict[str, Speed]:
    speeds = {}
    for counted in found.counted:
        name = counted.texts.name
        seconds = found.seconds.get((target.name, name), [])
        if seconds:
            others = found.seconds.get((first, name), []) if target.name != first else []
            dtype = found.loaded[target.name].dtype
            speeds[name] = _speed(target, counted, seconds, others, dtype, found.peaks)
    return speeds


def _speed(
    target: Target,
    counted: Counted,
    seconds: Sequence[float],
    others: Sequence[float],
    dtype: str,
    peaks: Mapping[str, float],
) -> Speed:
    texts = _rate(len(counted.texts.texts), seconds)
    architecture = architecture_of(target.model) if target.is_local and counted.lengths else None
    flops = architecture.flops(counted.lengths) / median(seconds).value if architecture else None
    peak = peaks.get(peak_of(dtype))
    return Speed(
        seconds=tuple(seconds),
        texts=texts,
        tokens=_rate(sum(counted.lengths), seconds) if counted.lengths else None,
        ratio=_ratio(seconds, others),
        flops=flops,
        share=flops / peak if flops and peak else None,
    )


def _rate(count: int, seconds: Sequence[float]) -> Median:
    return median([count / max(one, 1e-9) for one in seconds])


def _ratio(seconds: Sequence[float], others: Sequence[float]) -> Median | None:
    """How many times as fast as the first target, by rounds: what slows one slows the other."""
    if len(seconds) != len(others):
        return None
    return median([before / max(own, 1e-9) for own, before in zip(seconds, others, strict=True)])


def _agreement(target: Target, reference: Target | None, found: Measured) -> Agreement | None:
    if reference is None or target.name == reference.name or target.name not in found.vectors:
        return None
    if reference.name not in found.vectors or not is_comparable(target, reference):
        return None
    return agreement(found.vectors[target.name], found.vectors[reference.name])
