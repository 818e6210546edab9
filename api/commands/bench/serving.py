"""A server as its users have it: search and answers under load, alone and beside ingestion."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from api.commands.bench.aside import SERVE
from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.options import JsonOption, settings
from api.console import fail
from api.progress import tracking
from evaluation.beir import read_beir
from evaluation.errors import DatasetError
from evaluation.latency import Load
from evaluation.serving_bench.figures import Call
from evaluation.serving_bench.measuring import Plan, measure
from evaluation.serving_bench.report import report_of

_DOCUMENTS = 1_000


def serve(
    folder: Annotated[
        Path, typer.Argument(help="A BEIR folder: its documents are sent, its questions asked.")
    ],
    documents: Annotated[
        int | None,
        typer.Option(
            min=1,
            help=f"Texts in the knowledge base at the beginning; by default {_DOCUMENTS:,}. Beyond "
            "what the folder has there are copies that say which they are.",
        ),
    ] = None,
    url: Annotated[
        str, typer.Option(help="A running server to measure, instead of one of its own.")
    ] = "",
    kb: Annotated[str, typer.Option("--kb", "-k", help="A knowledge base of that server.")] = "",
    ingest: Annotated[
        bool | None,
        typer.Option(
            "--ingest/--no-ingest",
            help="Whether to measure beside ingestion too. A server of its own is, one at a URL "
            "isn't unless told: what is written into that knowledge base stays there, under "
            "footnote-bench/.",
            show_default=False,
        ),
    ] = None,
    call: Annotated[
        list[Call] | None,
        typer.Option(help="What is asked; may be repeated. By default both.", show_default=False),
    ] = None,
    clients: Annotated[
        int, typer.Option(min=1, max=1_000, help="Who ask at once where capacity is measured.")
    ] = 8,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            min=0.01,
            help="Requests a second; may be repeated. By default 10, 30, 50, 70 and 90 % of what "
            "the server bears with nothing beside it, the same rates then beside ingestion.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long each rate is kept up.")] = 5.0,
    rounds: Annotated[
        int, typer.Option(min=1, help="How often all is measured, alone and beside in turns.")
    ] = 2,
    same_questions: Annotated[
        bool,
        typer.Option(
            "--same-questions",
            help="Ask the questions as they are, over and over: the server remembers the vectors "
            "of the last thousands.",
        ),
    ] = False,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Seconds that an answer may take; ten times for texts.")
    ] = 30.0,
    seed: Annotated[int, typer.Option(min=0, help="Of when requests come.")] = 0,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure POST /search and POST /ask under load, alone and beside ingestion.

    Starts a `footnote serve` of its own on loopback, with the settings of the
    environment but over a folder that goes (and neither FOOTNOTE_CHROMA_URL
    nor FOOTNOTE_SYNC), and sends it the first documents. Then it asks: some
    clients as fast as they are answered, which is the capacity, and requests
    that come at random (Poisson) at rates below it, timed from when each was
    due. Then the same while further documents are sent all the time. Each
    question has a number of its own after it, since the server remembers the
    vectors of questions.

    \b
    footnote bench serve SCIFACT
    footnote bench serve SCIFACT --documents 5000 --rounds 5 --html out.html
    footnote bench serve SCIFACT --call search --rate 20 --rate 50 --rate 100
    footnote bench serve SCIFACT --no-ingest --clients 32
    footnote bench serve SCIFACT --url http://127.0.0.1:7373 --kb docs

    A server that ends, refuses or doesn't answer ends it with status 1, misuse
    with status 2. The client runs on this machine too: it says what it took.
    """
    settings(None)  # what doesn't fit is better said here than by the child
    check_writable(html, markdown)
    _check_server(url, kb, documents)
    try:
        plan = Plan(
            data=read_beir(folder),
            calls=tuple(dict.fromkeys(call or Call)),
            command=SERVE,
            url=url.rstrip("/"),
            kb=kb,
            documents=documents or _DOCUMENTS,
            ingests=not url if ingest is None else ingest,
            clients=clients,
            rounds=rounds,
            load=Load(tuple(sorted(set(rate or ()))), seconds, seed),
            patience=patience,
            same_questions=same_questions,
            command_line=command_line(),
        )
    except DatasetError as error:
        fail(str(error), 2)
    with tracking() as track:
        bench = measure(plan, track)
    publish(report_of(bench), bench.to_json(), html, markdown, as_json=as_json)


def _check_server(url: str, kb: str, documents: int | None) -> None:
    if bool(url) != bool(kb):
        raise typer.BadParameter("--url and --kb go together: which server, and what in it.")
    if not url:
        return
    if documents is not None:
        raise typer.BadParameter("--documents is for a server of its own; that one has its own.")
    try:
        place = urlsplit(url)
        host, _ = place.hostname, place.port  # the port is read, and so checked, only here
    except ValueError as error:
        raise typer.BadParameter(f"{url!r} is no URL: {error}.") from error
    if place.scheme not in ("http", "https") or not host or place.query or place.fragment:
        raise typer.BadParameter(f"{url!r} is no URL of a server, like http://127.0.0.1:7373.")
