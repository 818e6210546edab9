"""`footnote ingest`."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from api.commands.options import (
    DEFAULT_KB,
    DataOption,
    ExcludeOption,
    IncludeOption,
    JsonOption,
    KnowledgeBaseOption,
    patterns,
    settings,
)
from api.console import err, one_line, out, print_json
from api.progress import ingesting
from api.service import open_service
from ingest import sources
from ingest.errors import SourceNotFound
from ingest.folder import Report, Row, ingest_paths, ingest_source

_STDIN = Path("-")


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders; - for standard input.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    name: Annotated[
        str, typer.Option(help="The name of what comes from standard input, its extension too.")
    ] = "stdin.txt",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add files and folders to a knowledge base, which is made if it isn't there.

    What hasn't changed costs nothing. A file that can't be read is a row of the report, not the
    end of the run; the exit status is 1 then.
    """
    wanted = patterns(include, exclude)
    with open_service(settings(data)) as service, ingesting() as progress:
        knowledge_base, _ = service.engine.create(kb)
        given = [path for path in paths if path != _STDIN]
        report = ingest_paths(service.pipeline, knowledge_base, given, wanted, progress)
        if _STDIN in paths:
            piped = sources.upload(name, _piped(service.pipeline.max_bytes + 1), None, None)
            rows = ingest_source(service.pipeline, knowledge_base, piped)
            report = replace(report, rows=report.rows + rows)
    if as_json:
        print_json(report.to_json())
    else:
        print_report(report)
        if report.skipped:
            err.print(
                f"{len(report.skipped)} files were left out: of a kind that can't be read, "
                f"excluded, or links to files outside of the folder."
            )
    if report.failed:
        raise typer.Exit(1)


def _piped(most: int) -> bytes:
    """What standard input holds, as far as it is wanted. Raises SourceNotFound."""
    if sys.stdin is None:  # as Python has it where whoever started it closed it
        raise SourceNotFound("Standard input is closed: there is nothing to read.")
    return sys.stdin.buffer.read(most)


def print_report(report: Report) -> None:
    """A table of what became of each file, and the sums."""
    table = Table(box=None, header_style="bold")
    for name in ("file", "outcome", "chunks", "embedded"):
        table.add_column(name, justify="left" if name in ("file", "outcome") else "right")
    for row in report.rows:
        table.add_row(Text(one_line(row.name)), _outcome(row), str(row.chunks), str(row.embedded))
    out.print(table)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in report.counts().items())
    out.print(
        f"{len(report.rows)} files: {counts or 'nothing to do'}; {report.embedded} chunks embedded "
        f"in {report.seconds:.1f} s."
    )


def _outcome(row: Row) -> Text:
    if row.error:
        return Text.assemble(("failed", "red"), one_line(f": {row.error}"))
    return Text(one_line("; ".join([row.outcome, *row.warnings])))
