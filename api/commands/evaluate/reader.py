"""`footnote eval reader`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import JsonOption, settings
from api.console import out, print_json
from api.progress import Track, tracking
from evaluation import reader_fitting as fitting
from evaluation.answer_set import AnswerSet, read_answer_set, sampled
from evaluation.indexing import indexed
from evaluation.reader_fitting import Read
from retrieval.question import is_chinese


def reader(
    folders: Annotated[
        list[Path], typer.Argument(help="Sets: corpus.jsonl and questions.jsonl with answers.")
    ],
    sample: Annotated[
        int | None, typer.Option(min=20, help="At most so many questions of each half of a set.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit which sentence answers a question, and whether any does, on half of the topics.

    Prints the weights for retrieval/reading/scoring.py and retrieval/abstention.py, and how they do
    on the other half.
    """
    fitted: list[Read] = []
    held_out: dict[str, list[Read]] = {}
    with tracking() as track:
        for folder in folders:
            answers = read_answer_set(folder)
            one, other = _read(answers, sample, track)
            fitted += one
            held_out[answers.name] = other
    by_language = {
        language: [one for one in fitted if _language(one) == language]
        for language in sorted({_language(one) for one in fitted})
    }
    weights = {name: fitting.fit_sentences(cases) for name, cases in by_language.items()}
    models = {
        name: fitting.fit_abstention(cases, weights[name]) for name, cases in by_language.items()
    }

    def told(cases: Sequence[Read]) -> dict[str, object]:
        language = _language(cases[0])
        first, third = fitting.best_sentences(cases, weights[language])
        judged = fitting.judged(cases)
        separated = fitting.separated(judged, weights[language], models[language])
        return {"best_sentence": first, "best_three": third, **asdict(separated)}

    found = {
        "sentences": {language: asdict(one) for language, one in weights.items()},
        "abstention": {language: asdict(model) for language, model in models.items()},
        "held_out": {name: told(cases) for name, cases in held_out.items()},
    }
    print_json(found) if as_json else out.print(found)


def _language(one: Read) -> str:
    return "chinese" if is_chinese(one.question.question) else "english"


def _read(answers: AnswerSet, sample: int | None, track: Track) -> tuple[list[Read], list[Read]]:
    """Both halves of a set, as far as they are asked for."""
    halves = [sampled(answers.half(number), sample) for number in (0, 1)]
    documents = track(f"documents of {answers.name}", len(answers.corpus))
    watch = track(f"questions on {answers.name}", sum(map(len, halves)))
    with indexed(answers.corpus, settings(None).embedding_model, documents) as (engine, kb):
        one = fitting.read(engine, kb, halves[0], watch)
        other = fitting.read(engine, kb, halves[1], lambda done: watch(len(halves[0]) + done))
    return one, other
