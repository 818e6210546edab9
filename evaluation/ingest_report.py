"""Ingestion under load as it is reported: its rates, its memory, and that over the documents."""

from datetime import date

from evaluation.ingest_load import Load
from evaluation.machine import describe
from evaluation.report.axes import Scale, drawing, frame, short
from evaluation.report.bench import BenchReport, Plot
from evaluation.report.grid import Grid
from evaluation.report.series import height_with, legend, line


def ingestion_report(load: Load, command: str) -> BenchReport:
    """Made today, on this machine."""
    plot = memory_plot(load)
    caption = (
        f"The first {load.documents:,} are PDFs of two pages, then comes one of {load.pages:,}; "
        "the last ones are known already."
    )
    return BenchReport(
        title="Ingestion benchmark",
        machine=describe(),
        made=date.today(),
        command=command,
        grids=(_rates(load), _memory(load)),
        plots=(Plot(plot, caption),) if plot else (),
        remarks=(
            f"{load.documents:,} PDFs of two pages, {load.chunks:,} chunks; then one of "
            f"{load.pages:,} pages; then half of the first again, their vectors known.",
            "The rate of ingestion is of all but the first fifth; that of the model alone is of "
            "chunks of the same documents, at every fifth of the way.",
            "Memory is of this process and its parser; peaks are compared with the first fifth's.",
        ),
    )


def memory_plot(load: Load) -> str:
    """Megabytes after so many documents; "" where nobody looked often enough."""
    if len(load.memory) < 2:
        return ""
    x = Scale.from_zero(max(done for done, _ in load.memory))
    y = Scale.from_zero(max(taken for _, taken in load.memory))
    places = [(x.across(done), y.place(taken)) for done, taken in load.memory]
    told = f"memory: {load.memory[0][1]:,.0f} MB at first, {load.memory[-1][1]:,.0f} at last"
    parts = [
        *frame(y, "memory, MB", x.marks(), "documents", short),
        *line(0, told, places, ()),
        legend(0, "this process and its parser"),
    ]
    return drawing("Memory by documents", height_with(1), parts)


def _rates(load: Load) -> Grid:
    rows = (
        ("ingested, chunks", f"{load.ingested:,.1f}", f"{load.share:.1%}"),
        ("the model alone, chunks", f"{load.raw:,.1f}", ""),
        ("with known vectors, documents", f"{load.cached_documents:,.1f}", ""),
    )
    return Grid("Rates", ("what", "a second", "of the model's"), rows)


def _memory(load: Load) -> Grid:
    first = f"first {load.documents // 5:,} documents"
    peaks = (
        (first, load.warm, ""),
        ("the others", load.steady, f"{load.steady / load.warm - 1:+.1%}"),
        (f"a PDF of {load.pages:,} pages", load.long, f"{load.long / load.warm - 1:+.1%}"),
    )
    rows = tuple((name, f"{taken:,.0f}", more) for name, taken, more in peaks)
    return Grid("Peak memory", ("while it ingests", "MB", "more"), rows)
