"""How long a search takes over stores that processes share."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from api.commands.bench.aside import ModelOption, engine_settings
from api.commands.options import JsonOption
from api.console import out, print_json, print_table
from api.progress import tracking
from evaluation.beir import read_beir
from evaluation.machine import describe
from evaluation.services.shared import shared_services
from evaluation.store_comparison import Searched, stores_compared


def stores(
    folder: Annotated[
        Path, typer.Argument(help="A BEIR folder: texts to make chunks of, and questions.")
    ],
    chunks: Annotated[int, typer.Option(min=100, help="Size of the knowledge base.")] = 100_000,
    texts: Annotated[int, typer.Option(min=2, help="How many texts chunks are made of.")] = 2_000,
    questions: Annotated[int, typer.Option(min=1, help="How many are asked.")] = 200,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search the same chunks embedded in this process and on servers, in turns.

    The servers are a Postgres and a Chroma server and a stand-in for S3 of its
    own: needs the extras postgres, s3 and test, and Postgres' own programs.
    """
    data = read_beir(folder)
    of = [entry.text for entry in data.corpus if entry.text.strip()][:texts]
    if chunks > len(of) * (len(of) - 1):
        raise typer.BadParameter(f"{len(of)} texts don't make {chunks} different chunks.")
    asked = list(data.queries.values())[:questions]
    with (
        TemporaryDirectory(prefix="footnote-stores-") as here,
        TemporaryDirectory(prefix="footnote-stores-") as there,
        shared_services() as services,
        services.used_by(engine_settings(Path(there), model)) as shared,
        tracking() as track,
    ):
        watches = track("chunks, embedded", chunks), track("chunks, on servers", chunks)
        embedded = engine_settings(Path(here), model)
        found = stores_compared(embedded, shared, services, of, asked, chunks, watches)
    if as_json:
        print_json({"machine": describe(), "ratio": found.ratio, **asdict(found)})
        return
    sides = (("embedded", found.embedded), ("on servers", found.shared))
    table = Table("", "first, p50", "p95", "again, p50", "p95", "written", box=None)
    for name, side in sides:
        table.add_row(name, *_cells(side))
    print_table(table)
    table = Table("", "processors, a question", "disk", "memory", box=None)
    for name, side in sides:
        table.add_row(
            name,
            _each(side.processors, "{:.1f} ms"),
            _each(side.disk, "{:,.0f} MB"),
            _each(side.memory, "{:,.0f} MB"),
        )
    print_table(table)
    out.print(
        f"Hybrid searches over {found.chunks:,} chunks take {found.ratio:.2f} times as long on "
        f"servers (p50, again); of {found.questions} questions {found.same} have the same hits and "
        f"scores. {describe()}."
    )


def _each(values: Mapping[str, float], form: str) -> str:
    return ", ".join(f"{name} {form.format(value)}" for name, value in values.items())


def _cells(side: Searched) -> tuple[str, ...]:
    times = (side.first.p50, side.first.p95, side.again.p50, side.again.p95)
    return (*(f"{one:.1f} ms" for one in times), f"{side.written:,.0f}/s")
