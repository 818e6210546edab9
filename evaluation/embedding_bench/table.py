"""The figures as cells, for whatever prints them: speed and quality side by side, then the rest."""

from collections.abc import Iterator

from evaluation.embedding_bench.figures import Bench, Result, Texts
from evaluation.report.grid import Grid, counted, rate_cell
from evaluation.report.latencies import PERCENTILES, load_cells, percentile_cells
from evaluation.report.table import shown
from evaluation.significance import Median


def grids(bench: Bench) -> tuple[Grid, ...]:
    """What there is to show, without columns and tables that are empty."""
    made = (_overview(bench), _speeds(bench), _latencies(bench))
    return tuple(one.without_blanks() for one in made if one.rows or one.failed)


def remarks(bench: Bench) -> Iterator[str]:
    """What one has to know to read the figures."""
    yield (
        f"{counted(bench.rounds, 'round')} in turns, median with 95 % interval; × is to "
        f"{bench.first or 'the first target'}, round by round. "
        f"{counted(bench.threads, 'thread')} each."
    )
    for one in bench.sets:
        yield _told(one)
    if any(one.agreement for one in bench.results):
        yield f"Cosines are with the vectors of {bench.reference}."
    if bench.quality_set:
        yield f"nDCG@10 × 100: {bench.quality_set}"
    if bench.peaks:
        peaks = ", ".join(f"{name} {value / 1e9:,.0f}" for name, value in bench.peaks.items())
        yield f"Peak, by products of matrices, GFLOP/s: {peaks}."
    if any((speed.share or 0) > 1 for one in bench.results for speed in one.speeds.values()):
        yield (
            "More than the peak was reached: in eight bits, whose products are held against those "
            "of bfloat16; else other work slowed the products of matrices."
        )
    if any(one.latencies for one in bench.results):
        yield (
            "Single texts came at random (Poisson), whether or not those before them were "
            "answered; latencies count from when each was due."
        )
    if bench.versions:
        yield ", ".join(f"{name} {version}" for name, version in bench.versions.items()) + "."
    yield from bench.notes


def _overview(bench: Bench) -> Grid:
    of_sets = [
        heading for one in bench.sets for heading in (f"{one.name}, tokens/s", f"× {bench.first}")
    ]
    headings = (
        *("target", "dtype", "batch tokens", *of_sets, "nDCG@10", "difference"),
        *("cosine, mean", "least", "load", "memory, MB", "peak", "GPU, MB"),
    )
    rows = tuple(_row(bench, one) for one in bench.results if not one.failed)
    failed = tuple((one.name, f"failed: {one.failed}") for one in bench.failed)
    return Grid("Speed and quality", headings, rows, failed)


def _row(bench: Bench, one: Result) -> tuple[str, ...]:
    speeds: list[str] = []
    for texts in bench.sets:
        speed = one.speeds.get(texts.name)
        speeds += (
            [rate_cell(speed.tokens or speed.texts), _ratio(speed.ratio)] if speed else ["", ""]
        )
    quality, agreement = one.quality, one.agreement
    difference = quality.difference if quality else None
    return (
        *(one.name, one.dtype, f"{one.budget:,}" if one.budget else "", *speeds),
        shown(quality.ndcg) if quality else "",
        shown(difference.interval, signed=True) if difference else "",
        *((f"{agreement.mean:.5f}", f"{agreement.least:.5f}") if agreement else ("", "")),
        f"{one.load_seconds:.1f} s" if one.load_seconds is not None else "",
        *(f"{value:,.0f}" if value else "" for value in (one.memory, one.peak_memory)),
        f"{one.gpu_memory:,.0f}" if one.gpu_memory else "",
    )


def _speeds(bench: Bench) -> Grid:
    rows = tuple(
        (
            *(
                one.name,
                texts.name,
                rate_cell(speed.texts),
                rate_cell(speed.tokens),
                _ratio(speed.ratio),
            ),
            f"{speed.flops / 1e9:,.1f}" if speed.flops else "",
            f"{speed.share:.1%}" if speed.share else "",
        )
        for texts in bench.sets
        for one in bench.results
        if (speed := one.speeds.get(texts.name))
    )
    headings = ("target", "texts", "texts/s", "tokens/s", f"× {bench.first}", "GFLOP/s", "of peak")
    return Grid("Throughput", headings, rows)


def _latencies(bench: Bench) -> Grid:
    rows = tuple(
        (
            *(one.name, *load_cells(latency)),
            f"{latency.unanswered:,}" if latency.unanswered else "",
            *percentile_cells(latency),
        )
        for one in bench.results
        for latency in one.latencies
    )
    headings = (
        *("target", "requests/s", "of capacity", "requests", "unanswered"),
        *PERCENTILES,
    )
    return Grid("Latency of single texts", headings, rows)


def _ratio(ratio: Median | None) -> str:
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]" if ratio else ""


def _told(one: Texts) -> str:
    told = f"{one.name}: {counted(one.count, 'text')}"
    if one.tokens is not None:
        told += f" of {one.shortest:,} to {one.longest:,} tokens, {one.tokens:,} in all"
    return f"{told}; {one.cut:,} cut at the window." if one.cut else f"{told}."
