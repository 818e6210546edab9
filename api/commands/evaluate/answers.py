"""`footnote eval answers`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table

from api.commands.demo import sample_documents
from api.commands.options import SAMPLES, JsonOption, settings
from api.console import print_json, print_table
from api.progress import Track, tracking
from api.service import open_service
from evaluation.answer_set import read_answer_set, sampled
from evaluation.answers import AnswerScore, Gold, measure
from evaluation.indexing import indexed
from evaluation.questions import read_questions
from evaluation.report.table import shown
from evaluation.significance import Interval
from ingest.folder import ingest_paths
from retrieval.engine import Engine
from retrieval.types import KnowledgeBase


def answers(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Sets with corpus.jsonl and questions.jsonl, or folders of documents with a "
            "questions.jsonl of gold spans; by default the sample documents."
        ),
    ] = None,
    half: Annotated[
        int | None,
        typer.Option(min=0, max=1, help="Only one half of a set's topics; fitted is on half 0."),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="At most so many questions of a set.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Ask questions with known answers: how often are they quoted, how often is it abstained?"""
    found: dict[str, AnswerScore] = {}
    with tracking() as track:
        for folder in folders or [sample_documents()]:
            with _opened(folder, half, sample, track) as (engine, kb, asked):
                watch = track(f"questions on {folder.name}", len(asked))
                found[folder.resolve().name] = measure(engine, kb, asked, watch)
    if as_json:
        print_json({name: asdict(score) for name, score in found.items()})
        return
    table = Table("measure", *found, box=None)
    told = [_told(score) for score in found.values()]
    for name in told[0]:
        table.add_row(name, *(one[name] for one in told))
    print_table(table)


@contextmanager
def _opened(
    folder: Path, half: int | None, sample: int | None, track: Track
) -> Iterator[tuple[Engine, KnowledgeBase, Sequence[Gold]]]:
    """A knowledge base with the documents of a folder, and what is asked about them."""
    if (folder / "corpus.jsonl").exists():
        answer_set = read_answer_set(folder)
        asked = answer_set.questions if half is None else answer_set.half(half)
        watch = track(f"documents of {answer_set.name}", len(answer_set.corpus))
        with indexed(answer_set.corpus, settings(None).embedding_model, watch) as (engine, kb):
            yield engine, kb, sampled(asked, sample)
        return
    if half is not None:
        raise typer.BadParameter(f"{folder} has no corpus.jsonl: only a set's topics have halves.")
    with (
        TemporaryDirectory(prefix="footnote-eval-") as aside,
        open_service(settings(Path(aside))) as service,
    ):
        kb, _ = service.engine.create("answers")
        ingest_paths(service.pipeline, kb, [folder], SAMPLES, lambda *_: None)
        yield service.engine, kb, read_questions(folder / "questions.jsonl")[:sample]


def _told(score: AnswerScore) -> dict[str, str]:
    separation = score.separation
    return {
        "questions with an answer, without": f"{score.answerable}, {score.unanswerable}",
        "answer in the first quote, %": _percent(score.first),
        "answer in any quote, %": _percent(score.any),
        "refused though answerable, %": _percent(score.refused),
        "abstained, of the unanswerable, %": _percent(score.abstained),
        "AUROC of the confidence": f"{separation.auroc:.3f}" if separation else "",
        "precision at 80 % coverage, %": (
            f"{100 * separation.precision_at_80:.1f}" if separation else ""
        ),
        "expected calibration error": f"{separation.calibration_error:.3f}" if separation else "",
        "citations that hold, %": f"{100 * score.verified:.1f}",
        "quotes an answer, characters a quote": f"{score.quotes:.2f}, {score.characters:.0f}",
        "an answer takes, ms: p50, p95": f"{score.p50:.0f}, {score.p95:.0f}",
    }


def _percent(share: Interval | None) -> str:
    return shown(share) if share else ""
