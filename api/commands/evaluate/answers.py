"""`footnote eval answers` and `abstention`."""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from api.commands.demo import sample_documents
from api.commands.options import SAMPLES, JsonOption, settings
from api.console import out, print_json, print_table
from api.progress import Track, tracking
from api.service import open_service
from evaluation.answers import measure
from evaluation.beir import Dataset, Entry, read_beir
from evaluation.calibration import fit
from evaluation.indexing import indexed
from evaluation.questions import read_questions
from ingest.folder import ingest_paths
from retrieval.answering import Question
from retrieval.chat.extractive import Evidence
from retrieval.engine import Engine
from retrieval.types import KnowledgeBase


def answers(
    documents: Annotated[
        Path | None, typer.Argument(help="Their folder; by default the sample documents.")
    ] = None,
    questions: Annotated[
        Path | None, typer.Option(help="JSONL; by default questions.jsonl in that folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask questions with gold spans: how often is it quoted, how often rightly not answered?"""
    folder = documents or sample_documents()
    asked = read_questions(questions or folder / "questions.jsonl")
    with (
        TemporaryDirectory(prefix="footnote-eval-") as aside,
        open_service(settings(Path(aside))) as service,
        tracking() as track,
    ):
        kb, _ = service.engine.create("answers")
        ingest_paths(service.pipeline, kb, [folder], SAMPLES, lambda *_: None)
        score = measure(service.engine, kb, asked, track("questions", len(asked)))
    if as_json:
        print_json(asdict(score))
        return
    table = Table("measure", "value", box=None)
    for name, value in asdict(score).items():
        table.add_row(name, str(value) if isinstance(value, int) else f"{100 * value:.1f} %")
    print_table(table)


def abstention(
    folders: Annotated[list[Path], typer.Argument(help="Retrieval sets, fitted together.")],
    sample: Annotated[int, typer.Option(help="Questions of each kind from each set.")] = 400,
    as_json: JsonOption = False,
) -> None:
    """Fit the abstention: every other document is left out, and with it what answers.

    Prints the weights for retrieval/abstention.py, and what they do on held-out questions.
    """
    present: list[Evidence] = []
    absent: list[Evidence] = []
    with tracking() as track:
        for folder in folders:
            dataset = read_beir(folder)
            found, missed = _evidence(dataset, sample, track)
            present += found
            absent += missed
    calibration = fit(present, absent)
    print_json(asdict(calibration)) if as_json else out.print(calibration)


def _evidence(dataset: Dataset, sample: int, track: Track) -> tuple[list[Evidence], list[Evidence]]:
    kept = dataset.corpus[::2]
    here = {entry.id for entry in kept}
    queries = sorted(dataset.queries)
    random.Random(0).shuffle(queries)  # noqa: S311 - a fixed sample, not a secret
    answerable = [q for q in queries if here.issuperset(dataset.qrels[q])][:sample]
    unanswerable = [q for q in queries if here.isdisjoint(dataset.qrels[q])][:sample]
    documents = track(f"documents of {dataset.name}", len(kept))
    questions = track(f"questions on {dataset.name}", len(answerable) + len(unanswerable))
    with _indexed(kept, documents) as (engine, kb):
        found: list[Evidence] = []
        for query in (*answerable, *unanswerable):
            found.append(
                engine.answering.basis(kb, Question(dataset.queries[query])).draft.evidence
            )
            questions(len(found))
    return found[: len(answerable)], found[len(answerable) :]


def _indexed(
    corpus: Sequence[Entry], progress: Callable[[int], None]
) -> AbstractContextManager[tuple[Engine, KnowledgeBase]]:
    return indexed(corpus, settings(None).embedding_model, progress)
