"""Many processes as they have to last: over stores that they share, and killed in turn."""

from typing import Annotated

import typer

from api.commands.bench.aside import SERVE, WORK
from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.bench.soaking import DOCTOR
from api.commands.options import JsonOption, settings
from api.progress import tracking
from evaluation.cluster_soak.measuring import Plan
from evaluation.cluster_soak.measuring import soak as soaked
from evaluation.cluster_soak.table import report_of


def cluster(
    servers: Annotated[int, typer.Option(min=1, max=16, help="Processes that serve.")] = 3,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes that ingest.")] = 3,
    documents: Annotated[int, typer.Option(min=1, help="Uploaded to any of them.")] = 2_000,
    clients: Annotated[
        int, typer.Option(min=1, max=400, help="Who search, ask, write and delete meanwhile.")
    ] = 20,
    every: Annotated[
        float, typer.Option(min=1.0, help="Seconds between two kills (-9) of one of each.")
    ] = 20.0,
    questions: Annotated[int, typer.Option(min=1, help="Asked of all who serve in the end.")] = 200,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a reply may take.")
    ] = 120.0,
    seed: Annotated[int, typer.Option(min=0, help="Of what is sent, and who is killed.")] = 0,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Upload, search, ask and delete at processes that share their stores, and kill them in turn.

    Starts a Postgres server, a Chroma server and a stand-in for S3 of its own,
    and over them so many `footnote serve --no-ingest` and `footnote work`, with
    the settings of the environment. While documents are uploaded to any of
    them, and clients do what those of `footnote bench soak` do, one of each is
    killed now and then, Postgres and Chroma once, and S3 hangs once. In the end
    every document must be there once, no job be left or have failed that was
    accepted, all processes give the same hits, and `footnote doctor` find
    nothing.

    \b
    footnote bench cluster
    footnote bench cluster --documents 200 --clients 5 --every 10 --json

    Needs the extras postgres, s3 and test, and Postgres' own programs. The exit
    status is 1 where anything is wrong, which is listed with request and reply.
    """
    settings(None)  # what doesn't fit is better said here than by the children
    check_writable(html, markdown)
    plan = Plan(
        serve=(*SERVE, "--no-ingest"),
        work=WORK,
        doctor=DOCTOR,
        servers=servers,
        workers=workers,
        documents=documents,
        clients=clients,
        every=every,
        questions=questions,
        patience=patience,
        seed=seed,
        command_line=command_line(),
    )
    with tracking() as track:
        figures = soaked(plan, track)
    publish(report_of(figures), figures.to_json(), html, markdown, as_json=as_json)
    if not figures.sound:
        raise typer.Exit(1)
