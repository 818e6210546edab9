"""How long a search takes, by the size of the knowledge base."""

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
from evaluation.search_load import SearchLoad, search_loads

_SIZES = [1_000, 10_000, 100_000]


def search(
    folder: Annotated[
        Path,
        typer.Argument(help="A BEIR folder: texts to make chunks of, and questions."),
    ],
    chunks: Annotated[
        list[int] | None,
        typer.Option(min=100, help="Size of the knowledge base; several may be given."),
    ] = None,
    texts: Annotated[int, typer.Option(min=2, help="How many texts chunks are made of.")] = 2_000,
    questions: Annotated[int, typer.Option(min=1, help="How many are asked.")] = 100,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Time hybrid searches beyond embedding their questions, on one core, filters included.

    The chunks join halves of real texts and have the mean of their vectors, so many are made of
    few. `recall` is that of the dense leg's ten nearest.
    """
    sizes = sorted(chunks or _SIZES)
    data = read_beir(folder)
    of = [entry.text for entry in data.corpus if entry.text.strip()][:texts]
    if sizes[-1] > len(of) * (len(of) - 1):
        raise typer.BadParameter(f"{len(of)} texts don't make {sizes[-1]} different chunks.")
    asked = list(data.queries.values())[:questions]
    found: list[SearchLoad] = []
    with TemporaryDirectory(prefix="footnote-search-") as aside, tracking() as track:
        engine = engine_settings(Path(aside), model)
        written = track("chunks", sizes[-1])
        for load in search_loads(engine, of, asked, sizes, written):
            found.append(load)
            if not as_json:
                out.print(
                    f"{load.chunks} chunks, {load.written:.0f} written a second", soft_wrap=True
                )
    if as_json:
        print_json({"machine": describe(), "sizes": [asdict(load) for load in found]})
        return
    names = list(found[0].searches)
    table = Table("chunks", *names, "recall", "memory", "disk", box=None)
    for load in found:
        times = (f"{load.searches[n].p50:.1f}, {load.searches[n].p95:.1f} ms" for n in names)
        sizes_ = (f"{load.memory:.0f} MB", f"{load.disk:.0f} MB")
        table.add_row(f"{load.chunks:,}", *times, f"{load.recall:.3f}", *sizes_)
    print_table(table)
    out.print(f"p50 and p95 of {len(asked)} searches, by what a filter leaves. {describe()}.")
