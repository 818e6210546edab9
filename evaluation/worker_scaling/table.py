"""The figures of workers as cells, and what one has to know to read them."""

from collections.abc import Iterator, Mapping, Sequence

from evaluation.report.bench import BenchReport, bench_report
from evaluation.report.grid import Grid, counted, rate_cell
from evaluation.worker_scaling.figures import Growth, Scale, ScalingFigures

_MOST = 20  # faults that are shown


def report_of(figures: ScalingFigures) -> BenchReport:
    """What there is to show: first what was wrong, where anything was."""
    scales = figures.scales
    made = (_faults(figures.faults), _rates(scales), _cores(scales), _used(scales), _times(scales))
    grids = tuple(one for one in made if one.rows)
    return bench_report("Workers", figures, grids, (), _remarks(figures))


def verdict(growth: Growth) -> str:
    """Where documents/s stop growing with workers, and what was full there."""
    bases = counted(growth.knowledge_bases, "knowledge base")
    of = f"Into {bases} documents/s"
    rates = ", ".join(f"{rate / growth.rates[0]:.2f}" for rate in growth.rates)
    if growth.grows_on:
        grown = f"{of} grow with each worker: {rates} times those of one. With all of them"
    elif growth.workers > 1:
        grown = f"{of} grow up to {growth.workers} workers: {rates} times those of one. There"
    else:
        grown = f"{of} don't grow with a second worker: {rates} times those of one. With one"
    return f"{grown} {_fullness(growth)}. Cores went to {_spent(growth.cores)}."


def _fullness(growth: Growth) -> str:
    shares = sorted(growth.used.items(), key=lambda pair: -pair[1])
    if not growth.full:
        name, share = shares[0]
        return f"nothing that was looked at is full; the most, {share:.0%}, is used of {name}"
    told = [f"{name} ({share:.0%})" for name, share in shares if name in growth.full]
    return f"what is full: {', '.join(told)}"


def _spent(cores: Mapping[str, float]) -> str:
    """Who took them, the most first."""
    took = sorted(cores.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {share:.2f}" for name, share in took if share >= 0.005)


def _remarks(figures: ScalingFigures) -> Iterator[str]:
    yield (
        f"{figures.documents:,} PDFs of {counted(figures.pages, 'page')} each, "
        f"{figures.chunks:,} chunks, whose vectors by {figures.model} are all in the catalogue: "
        f"they were ingested before, into a knowledge base that stays. Each run has fresh "
        f"knowledge bases; {counted(figures.rounds, 'round')}, medians with their range."
    )
    yield (
        "Workers are `footnote work` over Postgres, a Chroma server and a stand-in for S3, on this "
        "machine; their documents are put into the queue by the process that measures, as one that "
        "serves does. The line without workers is one process over SQLite, an embedded Chroma and "
        "tantivy."
    )
    for growth in figures.growths:
        yield verdict(growth)
    verb = "Sound" if figures.sound else "Not sound"
    yield (
        f"{verb}: {counted(len(figures.faults), 'fault')}. Every document has to be there once, "
        f"with all of its chunks in each store, and nothing be embedded."
    )
    yield from figures.notes


def _name(scale: Scale) -> str:
    if not scale.workers:
        return "one process, embedded"
    bases = counted(scale.knowledge_bases, "knowledge base")
    return f"{counted(scale.workers, 'worker')}, {bases}"


def _rates(scales: Sequence[Scale]) -> Grid:
    one = {s.knowledge_bases: s.documents.value for s in scales if s.workers == 1}
    rows = tuple(
        (
            _name(scale),
            rate_cell(scale.documents),
            rate_cell(scale.chunks),
            f"{scale.documents.value / one[scale.knowledge_bases]:.2f}",
        )
        for scale in scales
    )
    return Grid("Ingested a second", ("", "documents", "chunks", "× one worker"), rows)


def _cores(scales: Sequence[Scale]) -> Grid:
    return _named("Cores at work", scales, [s.cores for s in scales], "{:.2f}")


def _used(scales: Sequence[Scale]) -> Grid:
    return _named("Used, of all there is", scales, [s.used for s in scales], "{:.0%}")


def _times(scales: Sequence[Scale]) -> Grid:
    told = [
        {
            **{f"{name}, ms": took for name, took in scale.stages.items()},
            "wait to write": scale.wait_to_write,
            "wait to publish": scale.wait_to_publish,
        }
        for scale in scales
    ]
    return _named("Stages of a document, and processes that wait", scales, told, "{:,.1f}")


def _named(
    title: str, scales: Sequence[Scale], values: Sequence[Mapping[str, float]], form: str
) -> Grid:
    """A row a scale, with the values that it has under their names."""
    names = list(dict.fromkeys(name for one in values for name in one))
    rows = tuple(
        (_name(scale), *(form.format(one[name]) if name in one else "" for name in names))
        for scale, one in zip(scales, values, strict=True)
    )
    return Grid(title, ("", *names), rows).without_blanks()


def _faults(faults: Sequence[str]) -> Grid:
    more = f", and {len(faults) - _MOST} more" if len(faults) > _MOST else ""
    return Grid(f"Wrong{more}", ("",), tuple((fault,) for fault in faults[:_MOST]))
