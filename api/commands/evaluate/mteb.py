"""`footnote eval mteb`."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from api.commands.bench.aside import ModelOption
from api.commands.evaluate.options import Folders
from api.commands.options import JsonOption, settings
from api.console import err, fail, out, print_json, print_table
from api.progress import tracking
from evaluation.test_set import read_set
from retrieval.embedding.embedder import Embedder
from retrieval.engine import load_backend

if TYPE_CHECKING:
    from evaluation.mteb_measuring import Scored

_SHOWN = {
    "nDCG@10": "ndcg_at_10",
    "recall@10": "recall_at_10",
    "recall@100": "recall_at_100",
    "MRR@10": "mrr_at_10",
    "MAP@100": "map_at_100",
}


def mteb(
    folders: Folders,
    model: ModelOption = None,
    into: Annotated[
        Path | None,
        typer.Option("--out", file_okay=False, help="A folder for MTEB's own result files."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure the embedder with MTEB's own code: retrieval over sets of this machine.

    A document is one vector, of its title and text. What is longer than the window is cut, and
    counted. The nDCG@10 is that of `footnote eval retrieval --whole`, but for questions that are
    cut. Nothing is downloaded. MTEB comes with pip install -e '.[mteb]'.
    """
    try:
        from evaluation.mteb_measuring import measure
    except ImportError as error:
        fail(f"MTEB can't be loaded ({error}): pip install -e '.[mteb]'")
    sets = [read_set(folder) for folder in folders]
    found = settings(None).engine()
    found = replace(found, embedding_model=model) if model else found
    with closing(Embedder(load_backend(found))) as embedder, tracking() as track:
        scored = list(measure(embedder, sets, into, track))
    if as_json:
        print_json([_told(one) for one in scored])
    else:
        _print(scored)
    for one in scored:
        if one.path:
            (err if as_json else out).print(str(one.path), soft_wrap=True)


def _told(one: "Scored") -> dict[str, Any]:
    return asdict(one) | {"path": str(one.path) if one.path else None}


def _print(scored: Sequence["Scored"]) -> None:
    title = f"{scored[0].model}, {scored[0].revision}"
    columns = ("set", "questions", "cut", "documents", "cut", *_SHOWN)
    table = Table(*columns, box=None, title=title, title_justify="left")
    for one in scored:
        counts = (one.questions, one.cut_questions, one.documents, one.cut_documents)
        scores = (one.scores[key] or 0.0 for key in _SHOWN.values())
        table.add_row(one.task, *map(str, counts), *(f"{100 * score:.1f}" for score in scores))
    print_table(table)
    for note in dict.fromkeys(one.note for one in scored if one.note):
        out.print(note, soft_wrap=True)
