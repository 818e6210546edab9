"""Options that the commands of `footnote eval` which rank sets share."""

from pathlib import Path
from typing import Annotated

import typer

ALL = 1_000_000  # questions

Folder = Annotated[
    Path,
    typer.Argument(
        help="A set: corpus.jsonl, queries.jsonl and qrels/test.tsv, or docs/ and questions.jsonl."
    ),
]
Folders = Annotated[list[Path], typer.Argument(help="Sets: see `footnote eval compare`.")]
RunOption = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        help="A run, as 'NAME: mode=hybrid, fusion=rrf, weight=0.5, model=NAME, tokens=128, "
        "overlap=16'; what isn't said stays as it is. By default dense, lexical and hybrid.",
    ),
]
ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        file_okay=False,
        help="A folder for a report as HTML, Markdown and JSON, and for the runs as trec_eval "
        "reads them.",
    ),
]
QueriesOption = Annotated[
    int, typer.Option("--queries", min=1, help="At most so many questions of a set, by chance.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Which those are.")]
MetricOption = Annotated[str, typer.Option(help="What is compared.")]
