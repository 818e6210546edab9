"""`footnote doctor`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from api.commands.options import DataOption, JsonOption, settings
from api.console import one_line, out, print_json
from api.evaluating import evaluations_of, stale
from retrieval.engine import Engine, open_engine
from retrieval.errors import StoreUnavailable
from retrieval.inspection import Finding, Inspection


def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended, from the catalogue.")
    ] = False,
    deleted: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Show that nothing is left of a deleted document."),
    ] = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check every store against the catalogue: counts, strays, a sample of vectors and words.

    Stop the server first. The exit status is 1 where something is wrong and wasn't mended.
    """
    try:
        with open_engine(settings(data).engine(), mend=repair) as engine:
            inspection = Inspection(engine.database, engine.stores, engine.blobs)
            found = inspection.trace(deleted) if deleted else inspection.inspect(repair=repair)
            found = [*found, _reports(engine, repair=repair)]
    except StoreUnavailable as error:
        found = [Finding("stores", False, str(error))]
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        print_findings(found)
    if any(not finding.ok and not finding.mended for finding in found):
        raise typer.Exit(1)


def _reports(engine: Engine, *, repair: bool) -> Finding:
    """Of evaluations: whether one shows texts of a deleted document."""
    found = stale(engine)
    if not found:
        return Finding("evaluation reports", True, "none shows a deleted document")
    if repair:
        for kb in found:
            evaluations_of(engine).forget(kb.id)
    names = ", ".join(kb.name for kb in found)
    return Finding("evaluation reports", False, f"show deleted documents: {names}", mended=repair)


def print_findings(found: Sequence[Finding]) -> None:
    """A row a finding."""
    table = Table(box=None, header_style="bold")
    for name in ("", "what", "found"):
        table.add_column(name)
    for finding in found:
        table.add_row(
            _sign(finding), *(Text(one_line(said)) for said in (finding.subject, finding.detail))
        )
    out.print(table)


def _sign(finding: Finding) -> Text:
    if finding.ok:
        return Text("ok", "green")
    return Text("mended", "yellow") if finding.mended else Text("wrong", "red")
