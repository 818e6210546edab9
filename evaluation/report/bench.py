"""What a benchmark reports, whatever it measured: as a page that asks for nothing else, and as
Markdown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from evaluation.report.grid import Grid
from evaluation.report.html import rendered
from evaluation.report.markdown import code, plain

_TEMPLATE = Path(__file__).with_name("bench.html")


@dataclass(frozen=True, slots=True)
class Plot:
    """An SVG drawing, and what it shows; the caption is text, or `Markup` where it isn't."""

    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Tables, plots, and what one has to know to read them. Plots follow the first table."""

    title: str
    machine: str
    made: date
    command: str
    grids: tuple[Grid, ...]
    plots: tuple[Plot, ...]
    remarks: tuple[str, ...]


class Benchmark(Protocol):
    """What every benchmark knows of itself."""

    @property
    def machine(self) -> str: ...

    @property
    def made(self) -> date: ...

    @property
    def command(self) -> str: ...


def bench_report(
    title: str,
    bench: Benchmark,
    grids: tuple[Grid, ...],
    plots: Iterable[Plot],
    remarks: Iterable[str],
) -> BenchReport:
    """The report of a benchmark; plots on which there is nothing are left out."""
    return BenchReport(
        title=title,
        machine=bench.machine,
        made=bench.made,
        command=bench.command,
        grids=grids,
        plots=tuple(one for one in plots if one.svg),
        remarks=tuple(remarks),
    )


def to_html(report: BenchReport) -> str:
    """One page: no script, no request, names of any kind shown as they are."""
    return rendered(_TEMPLATE, report=report)


def to_markdown(report: BenchReport) -> str:
    """The same tables, to be pasted where others read them."""
    made = f"{plain(report.machine)}; {report.made.isoformat()}; {code(report.command)}"
    parts = [f"# {plain(report.title)}", made]
    for grid in report.grids:
        parts += [f"## {plain(grid.title)}", "\n".join(grid.to_markdown())]
    parts.append("\n".join(f"- {plain(remark)}" for remark in report.remarks))
    return "\n\n".join(parts) + "\n"
