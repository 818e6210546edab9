"""What ingestion gains by further workers over stores that they share, and what ends that."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from api.commands.bench.aside import WORK, ModelOption, engine_settings
from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.options import JsonOption
from api.progress import tracking
from evaluation.worker_scaling.measuring import Plan, measure
from evaluation.worker_scaling.table import report_of


def workers(
    most: Annotated[int, typer.Option(min=1, max=16, help="Measured with 1 up to so many.")] = 3,
    documents: Annotated[int, typer.Option(min=1, max=9_000, help="PDFs, in every run.")] = 600,
    pages: Annotated[int, typer.Option(min=1, help="Of each, 3.6 kB of text a page.")] = 2,
    knowledge_bases: Annotated[
        int, typer.Option(min=1, max=64, help="Spread over so many, beside into one.")
    ] = 3,
    rounds: Annotated[int, typer.Option(min=1, help="Of runs, in one order and back.")] = 3,
    model: ModelOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ingest known vectors with 1, 2, 3 `footnote work`: where that stops growing, and why.

    Starts a Postgres server, a Chroma server and a stand-in for S3 of its own.
    The documents are ingested once, into a knowledge base that stays, so that
    their vectors are in the catalogue; then again and again into fresh ones,
    by 1 worker up to --most, and by one process with SQLite, an embedded
    Chroma and tantivy. Told are rates, who took the cores, what was used of
    all there is of it, stages, and who waited for a turn.

    \b
    footnote bench workers
    footnote bench workers --documents 60 --rounds 1 --model hashing --json

    Needs the extras postgres, s3 and test, Postgres' own programs, and Linux.
    The exit status is 1 where a document isn't there once with all its chunks,
    or a vector had to be made.
    """
    check_writable(html, markdown)
    with TemporaryDirectory(prefix="footnote-workers-") as data, tracking() as track:
        settings = engine_settings(Path(data), model)
        plan = Plan(
            settings=settings,
            work=WORK,
            environment={"FOOTNOTE_EMBEDDING_MODEL": settings.embedding_model},
            workers=most,
            documents=documents,
            pages=pages,
            knowledge_bases=knowledge_bases,
            rounds=rounds,
            command_line=command_line(),
        )
        figures = measure(plan, track)
    publish(report_of(figures), figures.to_json(), html, markdown, as_json=as_json)
    if not figures.sound:
        raise typer.Exit(1)
