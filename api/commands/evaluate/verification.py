"""`footnote eval verification`."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from api.commands.evaluate.options import SeedOption
from api.commands.options import JsonOption, settings
from api.console import out, print_json, print_table
from api.progress import tracking
from evaluation import verifying_statements as statements
from evaluation.answer_set import AnswerSet, read_answer_set
from evaluation.beir import read_corpus
from evaluation.corruptions import Corruption
from evaluation.report.table import shown
from evaluation.verifying import Detection, measure
from evaluation.verifying_statements import Judged, StatementScore
from retrieval.embedding.registry import Embedders
from retrieval.engine import load_backend
from retrieval.verifying.verifier import Verifier


def verification(
    folders: Annotated[
        list[Path], typer.Argument(help="Sets with a corpus.jsonl, and maybe a questions.jsonl.")
    ],
    sentences: Annotated[int, typer.Option(min=1, help="At most so many of each kind.")] = 300,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Change true sentences in one place: how often does the check of answers see it?

    Where a set has questions with answers, both are put together to sentences that no document has,
    true ones and false ones with another answer. What is half of the topics' gives the weights of
    retrieval/verifying/verifier.py, the other half the figures.
    """
    backend = load_backend(settings(None).engine())
    embedders = Embedders(lambda _name, _dtype: backend)
    verifier = Verifier(embedders)
    changed: dict[str, dict[Corruption, Detection]] = {}
    fitted: list[Judged] = []
    stated: dict[str, StatementScore] = {}
    try:
        with tracking() as track:
            for folder in folders:
                name = folder.resolve().name
                watch = track(f"sentences of {name}", sentences * len(Corruption))
                corpus = read_corpus(folder / "corpus.jsonl")
                changed[name] = measure(verifier, corpus, sentences, seed, watch)
                if (folder / "questions.jsonl").exists():
                    answers = read_answer_set(folder)
                    watch = track(f"questions and answers of {name}", 4 * sentences)
                    one, other = _judged(verifier, answers, sentences, seed, watch)
                    fitted += one
                    if other:
                        stated[name] = statements.score(other)
    finally:
        embedders.close()
    weights = statements.fit_support(fitted)
    if as_json:
        kinds = {
            name: {kind: asdict(one) for kind, one in found.items()}
            for name, found in changed.items()
        }
        told = {name: asdict(score) for name, score in stated.items()}
        print_json({"changed": kinds, "statements": told, "support": weights})
        return
    _print_changed(changed)
    if stated:
        _print_stated(stated)
        out.print({"support": weights})


def _judged(
    verifier: Verifier, answers: AnswerSet, most: int, seed: int, watch: Callable[[int], None]
) -> tuple[list[Judged], list[Judged]]:
    """The statements of both halves of the topics."""
    one = statements.judge(verifier, answers, 0, most, seed, watch)
    other = statements.judge(verifier, answers, 1, most, seed, lambda done: watch(len(one) + done))
    return one, other


def _print_changed(changed: Mapping[str, Mapping[Corruption, Detection]]) -> None:
    columns = ("set", "changed", "sentences", "detected, %", "contradicted, %", "false alarms, %")
    table = Table(*columns, box=None)
    for name, kinds in changed.items():
        for kind, one in kinds.items():
            contradicted = f"{100 * one.contradicted:.1f}"
            cells = (shown(one.detected), contradicted, shown(one.false_alarms))
            table.add_row(name, kind, str(one.pairs), *cells)
    print_table(table)


def _print_stated(stated: Mapping[str, StatementScore]) -> None:
    columns = ("of questions and answers", "sentences", "verified, %", "contradicted, %")
    table = Table(*columns, "calibration error", box=None)
    for name, one in stated.items():
        true = (shown(one.verified), shown(one.contradicted), f"{one.calibration_error:.3f}")
        false = (shown(one.false_verified), shown(one.false_contradicted), "")
        table.add_row(f"{name}, true", str(one.statements // 2), *true)
        table.add_row(f"{name}, false", str(one.statements // 2), *false)
    print_table(table)
