"""`footnote eval answers`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import anyio
import typer

import sample_docs
from api import samples
from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.options import JsonOption, settings
from api.progress import Track, tracking
from api.routes.dependencies import in_thread
from api.service import open_service
from evaluation.answer_report import AnswersBench, report_of
from evaluation.answer_set import read_answer_set, sampled
from evaluation.answers import AnswerScore, Gold, ask_all, score
from evaluation.indexing import indexed
from evaluation.machine import describe
from evaluation.questions import read_questions
from ingest.folder import ingest_paths
from retrieval.answering import Question
from retrieval.engine import Engine
from retrieval.responding import EXTRACTIVE
from retrieval.types import Answer, KnowledgeBase


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
    model: Annotated[
        str,
        typer.Option(help="The chat model of the Ollama server that answers; by default quotes."),
    ] = EXTRACTIVE,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask questions with known answers: how often are they quoted, how often is it abstained?"""
    check_writable(html, markdown)
    found: dict[str, AnswerScore] = {}
    with tracking() as track:
        for folder in folders or [sample_docs.FOLDER]:
            with _opened(folder, half, sample, track) as (engine, kb, asked):
                watch = track(f"questions on {folder.name}", len(asked))
                answered = ask_all(partial(_answer, engine, kb, model), asked, watch)
                found[folder.resolve().name] = score(engine, kb, answered)
    bench = AnswersBench(found, describe(), date.today(), command_line())
    figures = {name: asdict(one) for name, one in found.items()}
    publish(report_of(bench), figures, html, markdown, as_json=as_json)


def _answer(engine: Engine, kb: KnowledgeBase, model: str, question: str) -> Answer:
    """By whoever answers, as over HTTP."""
    return anyio.run(engine.responding.answer, kb, Question(question), model, in_thread)


@contextmanager
def _opened(
    folder: Path, half: int | None, sample: int | None, track: Track
) -> Iterator[tuple[Engine, KnowledgeBase, Sequence[Gold]]]:
    """A knowledge base with the documents of a folder, and what is asked about them."""
    if (folder / "corpus.jsonl").exists():
        answer_set = read_answer_set(folder)
        asked = answer_set.questions if half is None else answer_set.half(half)
        watch = track(f"documents of {answer_set.name}", len(answer_set.corpus))
        like = settings(None).engine()
        with indexed(answer_set.corpus, like.embedding_model, watch, like=like) as (engine, kb):
            yield engine, kb, sampled(asked, sample)
        return
    if half is not None:
        raise typer.BadParameter(f"{folder} has no corpus.jsonl: only a set's topics have halves.")
    with (
        TemporaryDirectory(prefix="footnote-eval-") as aside,
        open_service(settings(Path(aside))) as service,
    ):
        kb, _ = service.engine.create("answers")
        ingest_paths(service.pipeline, kb, [folder], samples.PATTERNS, lambda *_: None)
        yield service.engine, kb, read_questions(folder / "questions.jsonl")[:sample]
