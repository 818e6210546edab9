"""The benchmark as a page that asks for nothing else, and as Markdown."""

from collections.abc import Iterator
from pathlib import Path

from evaluation.embedding_bench.figures import Bench
from evaluation.embedding_bench.plots import (
    latency_plot,
    measures_quality,
    plotted_set,
    worth_plot,
)
from evaluation.embedding_bench.table import Grid, grids, remarks
from evaluation.report.html import rendered
from evaluation.report.markdown import code, plain, table_row

_TEMPLATE = Path(__file__).with_name("report.html")


def to_html(bench: Bench) -> str:
    """One page: no script, no request, names of any kind shown as they are."""
    return rendered(
        _TEMPLATE,
        bench=bench,
        grids=grids(bench),
        remarks=list(remarks(bench)),
        worth=worth_plot(bench),
        by_quality=measures_quality(bench),
        plotted=plotted_set(bench),
        latency=latency_plot(bench),
    )


def to_markdown(bench: Bench) -> str:
    """The same tables, to be pasted where others read them."""
    made = f"{plain(bench.machine)}; {bench.made.isoformat()}; {code(bench.command)}"
    parts = ["# Embedding benchmark", made]
    for grid in grids(bench):
        parts += [f"## {grid.title}", "\n".join(_table(grid))]
    parts.append("\n".join(f"- {plain(remark)}" for remark in remarks(bench)))
    return "\n\n".join(parts) + "\n"


def _table(grid: Grid) -> Iterator[str]:
    yield table_row(*map(plain, grid.headings))
    yield table_row("---", *("---:" for _ in grid.headings[1:]))
    for row in grid.rows:
        yield table_row(*map(plain, row))
    for name, reason in grid.failed:
        yield table_row(plain(name), plain(reason), *("" for _ in grid.headings[2:]))
