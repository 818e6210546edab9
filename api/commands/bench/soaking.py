"""A server as it has to last: many clients at once, and kills."""

import sys
from typing import Annotated

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
from api.progress import tracking
from evaluation.serving_soak.measuring import Plan
from evaluation.serving_soak.measuring import soak as soaked
from evaluation.serving_soak.table import report_of

DOCTOR = (sys.executable, "-P", "-c", "from api.cli import main; main()", "doctor")


def soak(
    minutes: Annotated[float, typer.Option(min=0.05, help="How long.")] = 10.0,
    clients: Annotated[int, typer.Option(min=1, max=1_000, help="Who call at once.")] = 50,
    kills: Annotated[
        int, typer.Option(min=0, max=100, help="How often the server is killed (-9).")
    ] = 3,
    documents: Annotated[int, typer.Option(min=1, help="That a client has there at the most.")] = 6,
    patience: Annotated[
        float, typer.Option(min=0.1, help="Seconds that a reply may take.")
    ] = 120.0,
    seed: Annotated[int, typer.Option(min=0, help="Of what is sent, and when it is killed.")] = 0,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search, ask, upload, update and delete by many clients at once, and kill the server.

    Starts a `footnote serve` of its own on loopback, with the settings of the
    environment but over a folder that goes (and neither FOOTNOTE_CHROMA_URL
    nor FOOTNOTE_SYNC). Each client writes documents of its own, English and
    Chinese, and looks whether what was acknowledged is found and quoted, as it
    stands there, and what was deleted is not; over kills (SIGKILL) too. What
    was on its way at a kill may be there or not, but not in part. In the end
    every document must be there once, and `footnote doctor` find nothing.

    \b
    footnote bench soak
    footnote bench soak --minutes 1 --clients 10 --kills 1 --json

    The exit status is 1 where anything is wrong, which is listed with request
    and reply; where memory grows by more than a twentieth while a process
    lives; or where the server ends by itself.
    """
    settings(None)  # what doesn't fit is better said here than by the child
    check_writable(html, markdown)
    plan = Plan(
        serve=SERVE,
        doctor=DOCTOR,
        minutes=minutes,
        clients=clients,
        kills=kills,
        documents=documents,
        patience=patience,
        seed=seed,
        command_line=command_line(),
    )
    with tracking() as track:
        figures = soaked(plan, track)
    publish(report_of(figures), figures.to_json(), html, markdown, as_json=as_json)
    if not figures.sound:
        raise typer.Exit(1)
