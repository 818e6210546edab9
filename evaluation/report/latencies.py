"""Latencies by load, as cells and as a plot."""

from collections.abc import Sequence

from evaluation.latency import Latency
from evaluation.report.axes import Scale, drawing, frame, short
from evaluation.report.series import height_with, legend, line

PERCENTILES = ("p50, ms", "p95, ms", "p99, ms")


def percentile_cells(latency: Latency) -> tuple[str, ...]:
    """Under `PERCENTILES`."""
    return tuple(map(_milliseconds, (latency.p50, latency.p95, latency.p99)))


def load_cells(latency: Latency) -> tuple[str, ...]:
    """The rate, which share of what is borne it is, and how many requests came."""
    return f"{latency.rate:,.1f}", f"{latency.share:.0%}", f"{latency.requests:,}"


def latency_plot(found: Sequence[tuple[str, Sequence[Latency]]], what: str) -> str:
    """A line a name: the 95th percentile of latency by the rate of `what`; "" where there is none.
    Rates at which too many weren't answered aren't drawn.
    """
    lines = [(name, points) for name, all_of in found if (points := _answered(all_of))]
    if not lines:
        return ""
    every = [each for _, points in lines for each in points]
    x = Scale.powers(min(rate for rate, _ in every), max(rate for rate, _ in every))
    y = Scale.powers(min(value for _, value in every), max(value for _, value in every))
    parts = [*frame(y, "p95, ms", x.marks(), f"{what} a second", short)]
    for at, (name, points) in enumerate(lines):
        told = ", ".join(f"{value:,.1f} ms at {rate:,.1f}/s" for rate, value in points)
        places = [(x.across(rate), y.place(value)) for rate, value in points]
        parts += [*line(at, f"{name}: {told}", places, places), legend(at, name)]
    return drawing(f"95th percentile of latency by {what} a second", height_with(len(lines)), parts)


def _answered(latencies: Sequence[Latency]) -> list[tuple[float, float]]:
    return sorted((one.rate, one.p95) for one in latencies if one.p95 is not None)


def _milliseconds(value: float | None) -> str:
    return "unanswered" if value is None else f"{value:,.1f}"
