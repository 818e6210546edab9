"""`footnote eval pages`."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from api.commands.options import JsonOption, settings
from api.console import out, print_json, print_table
from api.progress import ingesting, tracking
from api.service import open_service
from evaluation.page_gold import measure, read_page_questions
from evaluation.significance import Interval
from ingest.folder import ingest_paths
from ingest.sources import Patterns

_SHOWN = {
    "page_recall_5": "evidence pages among the first 5",
    "page_recall_10": "evidence pages among the first 10",
    "document_5": "a hit of the right file among the first 5",
}


def pages(
    folder: Annotated[
        Path, typer.Argument(help="Files in pdfs/, and questions.jsonl with pages as evidence.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Ingest files into one knowledge base and search for the pages that answer questions."""
    asked = read_page_questions(folder)
    with (
        TemporaryDirectory(prefix="footnote-eval-") as aside,
        open_service(settings(Path(aside))) as service,
    ):
        kb, _ = service.engine.create("pages")
        with ingesting() as watch:
            report = ingest_paths(service.pipeline, kb, [folder / "pdfs"], Patterns(), watch)
        with tracking() as track:
            score = measure(service.engine, kb, asked, track("questions", len(asked)))
    if as_json:
        print_json(asdict(score))
        return
    table = Table("measure", "share (95 %)", box=None, title=f"{len(asked)} questions")
    for name, shown in _SHOWN.items():
        found: Interval = getattr(score, name)
        table.add_row(
            shown, f"{100 * found.mean:.1f} % [{100 * found.low:.1f}, {100 * found.high:.1f}]"
        )
    print_table(table)
    if report.failed:
        out.print(f"{report.failed} files couldn't be read: `footnote ingest` tells why.")
