"""How every benchmark tells what it measured: printed, as a page, as Markdown."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.console import out, print_json, print_table
from evaluation.report.bench import BenchReport, to_html, to_markdown

HtmlOption = Annotated[
    Path | None, typer.Option(dir_okay=False, help="A report as one page, with plots.")
]
MarkdownOption = Annotated[
    Path | None, typer.Option(dir_okay=False, help="A report to be pasted elsewhere.")
]


def command_line() -> str:
    """The command that runs, as one would type it."""
    return shlex.join(["footnote", *sys.argv[1:]])


def check_writable(*paths: Path | None) -> None:
    """Better now than after all has been measured."""
    for path in filter(None, paths):
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            raise typer.BadParameter(f"{path} can't be written: {error.strerror}.") from error


def publish(
    report: BenchReport, figures: Any, html: Path | None, markdown: Path | None, *, as_json: bool
) -> None:
    """Into the files that were asked for, and printed, as JSON the figures themselves."""
    if html:
        html.write_text(to_html(report), encoding="utf-8")
    if markdown:
        markdown.write_text(to_markdown(report), encoding="utf-8")
    if as_json:
        print_json(figures)
    else:
        _print(report)


def _print(report: BenchReport) -> None:
    """No plots there."""
    for grid in report.grids:
        table = Table(title=grid.title, title_justify="left", box=None)
        for heading in grid.headings:
            table.add_column(heading)
        for row in grid.rows:
            table.add_row(*row)
        if grid.rows:
            print_table(table)
        for name, reason in grid.failed:
            out.print(f" {name} {reason}", soft_wrap=True)
        out.print()
    for remark in report.remarks:
        out.print(remark, soft_wrap=True)
    out.print(f"{report.machine}.", soft_wrap=True)
