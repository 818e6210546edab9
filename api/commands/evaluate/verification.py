"""`footnote eval verification`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.commands.evaluate.options import SeedOption
from api.commands.options import JsonOption, settings
from api.console import print_json, print_table
from api.progress import tracking
from evaluation.beir import read_corpus
from evaluation.corruptions import Corruption
from evaluation.report.table import shown
from evaluation.verifying import measure
from retrieval.embedding.registry import Embedders
from retrieval.engine import load_backend
from retrieval.verifying.verifier import Verifier


def verification(
    folders: Annotated[list[Path], typer.Argument(help="Sets with a corpus.jsonl.")],
    sentences: Annotated[int, typer.Option(min=1, help="At most so many of each kind.")] = 300,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Change true sentences in one place: how often does the check of answers see it?"""
    backend = load_backend(settings(None).engine())
    embedders = Embedders(lambda _name, _dtype: backend)
    found = {}
    try:
        with tracking() as track:
            for folder in folders:
                corpus = read_corpus(folder / "corpus.jsonl")
                watch = track(f"sentences of {folder.name}", sentences * len(Corruption))
                found[folder.resolve().name] = measure(
                    Verifier(embedders), corpus, sentences, seed, watch
                )
    finally:
        embedders.close()
    if as_json:
        told = {name: {k: asdict(one) for k, one in kinds.items()} for name, kinds in found.items()}
        print_json(told)
        return
    columns = ("set", "changed", "sentences", "detected, %", "contradicted, %", "false alarms, %")
    table = Table(*columns, box=None)
    for name, kinds in found.items():
        for kind, one in kinds.items():
            contradicted = f"{100 * one.contradicted:.1f}"
            cells = (shown(one.detected), contradicted, shown(one.false_alarms))
            table.add_row(name, kind, str(one.pairs), *cells)
    print_table(table)
