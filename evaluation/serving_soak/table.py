"""The figures of a soak as cells, and what one has to know to read them."""

from collections.abc import Iterator, Mapping, Sequence

from evaluation.report.bench import BenchReport, bench_report
from evaluation.report.grid import Grid, counted
from evaluation.report.latencies import PERCENTILES
from evaluation.serving_soak.faults import Fault
from evaluation.serving_soak.figures import CallFigures, LifeFigures, SoakFigures


def report_of(figures: SoakFigures) -> BenchReport:
    """What there is to show: first what was wrong, where anything was."""
    made = (
        faults_grid(figures.faults, figures.counts),
        _counts(figures),
        calls_grid(figures.calls),
        _lives(figures),
    )
    grids = tuple(one.without_blanks() for one in made if one.rows)
    return bench_report("Soak", figures, grids, (), _remarks(figures))


def _remarks(figures: SoakFigures) -> Iterator[str]:
    kills = counted(figures.kills, "kill")
    yield (
        f"{figures.server}. {figures.minutes:g} minutes, {counted(figures.clients, 'client')} "
        f"without a pause, {kills} (-9) of the server; seed {figures.seed}."
    )
    yield (
        "Times are of calls that no restart came upon, of clients that call again as soon as they "
        "are answered, and take their part of this machine."
    )
    yield (
        "Slopes are of the memory after a warm-up of 45 s, or of a third of a shorter life, by ten "
        "means each, with 95 % interval."
    )
    verdict = "Sound" if figures.sound else "Not sound"
    grown = ", memory grew" if figures.grown else ""
    yield f"{verdict}: {counted(sum(figures.counts.values()), 'fault')}{grown}."
    yield from figures.notes


def faults_grid(faults: Sequence[Fault], counts: Mapping[str, int]) -> Grid:
    """Those that were kept, of so many of each kind."""
    rows = tuple(
        (f"{one.at:.1f} s, {one.kind}", one.what, one.request, one.reply) for one in faults
    )
    more = sum(counts.values()) - len(rows)
    title = f"Wrong{f', and {more:,} more' if more else ''}"
    return Grid(title, ("when, kind", "what", "request", "reply"), rows)


def _counts(figures: SoakFigures) -> Grid:
    rows = (
        ("acts of clients", f"{figures.acts:,}"),
        ("documents and versions written", f"{figures.written:,}"),
        ("documents deleted", f"{figures.deleted:,}"),
        ("documents in the end", f"{figures.documents:,}"),
        ("calls tried again", told(figures.retries)),
        ("writes cut off without a reply", f"{figures.lost:,}"),
        ("faults", told(figures.counts)),
        ("what footnote doctor looked at", f"{len(figures.doctor)}"),
    )
    return Grid("What happened", ("", "count"), rows)


def told(counts: Mapping[str, int]) -> str:
    """So many of each."""
    return ", ".join(f"{what} {count:,}" for what, count in sorted(counts.items())) or "none"


def calls_grid(calls: Sequence[CallFigures]) -> Grid:
    """A kind a row."""
    rows = tuple(
        (
            one.kind,
            f"{one.count:,}",
            f"{one.rate:,.1f}",
            *(f"{value:,.1f}" for value in (one.p50, one.p95, one.p99)),
        )
        for one in calls
    )
    return Grid("Calls", ("call", "count", "a second", *PERCENTILES), rows)


def _lives(figures: SoakFigures) -> Grid:
    rows = tuple(_life(number, one) for number, one in enumerate(figures.lives, start=1))
    headings = ("life", "seconds", "ready after the kill, s", "MB warm", "MB at the most")
    return Grid("Lives of the server", (*headings, "MB a minute"), rows)


def _life(number: int, one: LifeFigures) -> tuple[str, ...]:
    slope = one.slope
    return (
        str(number),
        f"{one.seconds:,.0f}",
        "" if one.recovery is None else f"{one.recovery:.1f}",
        f"{slope.first:,.0f}" if slope else "",
        "" if one.peak is None else f"{one.peak:,.0f}",
        f"{slope.value:+.1f} [{slope.low:+.1f}, {slope.high:+.1f}]" if slope else "too short",
    )
