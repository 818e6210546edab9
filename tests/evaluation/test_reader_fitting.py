"""Fitting, on questions that are made by known weights."""

from dataclasses import astuple, replace

import numpy as np
import pytest

from evaluation.answer_set import AnswerQuestion, AnswerSet
from evaluation.beir import Entry
from evaluation.errors import DatasetError
from evaluation.indexing import indexed
from evaluation.reader_fitting import (
    Read,
    best_sentences,
    fit_abstention,
    fit_sentences,
    judged,
    read,
    separated,
)
from retrieval.reading.features import Candidate, Features
from retrieval.reading.reader import Reading
from retrieval.sentences import Span
from retrieval.types import Chunk, Hit

TRUE = Features(1.0, -1.0, 2.0, 0.5, 0.0, 1.5, -0.5, 0.0, 0.3, 0.0, -1.0, 0.4)
HIT = Hit(Chunk("c", "d", "v", 0, 0, 9, (), "", 9), "u", "t", "A text.", None, 1.0, 1, ())
QUESTION = AnswerQuestion("q", "What?", ("a",), "d")
WRITTEN = AnswerQuestion("q", "What not?", (), "d")


def drawn(count: int, seed: int = 0) -> list[Read]:
    """Questions whose answer is drawn by the weights above."""
    chance = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        rows = [Features(*map(float, chance.normal(size=len(astuple(TRUE))))) for _ in range(6)]
        scores = np.array([np.dot(astuple(row), astuple(TRUE)) for row in rows])
        exponents = np.exp(scores - scores.max())
        answer = chance.choice(6, p=exponents / exponents.sum())
        made.append(Read(QUESTION, reading(*rows), tuple(at == answer for at in range(6))))
    return made


def reading(*rows: Features) -> Reading:
    made = [Candidate(HIT, at, Span(at, at + 1), "a", frozenset()) for at in range(len(rows))]
    return Reading("What?", tuple(made), rows, len(rows))


def test_the_weights_that_made_the_answers_are_found() -> None:
    found = np.array(astuple(fit_sentences(drawn(4_000))))
    np.testing.assert_allclose(found, astuple(TRUE), atol=0.15)


def test_better_weights_choose_better() -> None:
    cases = drawn(500, seed=1)
    first, three = best_sentences(cases, fit_sentences(drawn(500)))
    assert first > best_sentences(cases, replace(TRUE, coverage=-2.0))[0] + 0.1
    assert first < three <= 1.0


def test_the_abstention_learns_what_tells_questions_apart() -> None:
    chance = np.random.default_rng(0)
    cases = []
    for _ in range(800):
        answerable = bool(chance.random() < 0.5)
        row = replace(TRUE, coverage=float(chance.normal(1.0 if answerable else 0.0, 0.5)))
        question = QUESTION if answerable else WRITTEN
        cases.append(Read(question, reading(row), (answerable,)))
    model = fit_abstention(cases[:400], TRUE)
    assert model.weights.coverage > 1.0
    assert abs(model.weights.passage_coverage) < 0.5
    found = separated(cases[400:], TRUE, model)
    assert found.auroc.low > 0.8
    assert found.calibration_error < 0.08


@pytest.mark.parametrize("gold", [True, False])
def test_both_kinds_of_question_are_needed(gold: bool) -> None:
    with pytest.raises(DatasetError, match="true"):
        fit_abstention([Read(QUESTION, reading(TRUE), (gold,))] * 3, TRUE)
    with pytest.raises(DatasetError, match="whose answer is found"):
        fit_sentences([Read(QUESTION, reading(TRUE), (False,))])


def test_what_was_written_to_have_no_answer_is_what_is_judged_by() -> None:
    asked = Read(QUESTION, reading(TRUE), (True,))
    left = Read(QUESTION, reading(TRUE), (False,), 0.25)
    written = Read(WRITTEN, reading(TRUE), (False,))
    assert judged([asked, left]) == [asked, left]
    assert judged([asked, left, written]) == [asked, written]


def test_a_question_is_read_with_its_document_and_without_it() -> None:
    corpus = (
        Entry("zebra", "Zebras", "Zebras live in Africa. They have stripes."),
        Entry("lion", "Lions", "Lions sleep all day. They live in prides."),
    )
    asked = AnswerQuestion("1", "Where do zebras live?", ("Africa",), "zebra")
    none = AnswerQuestion("2", "Where do zebras swim?", (), "zebra")
    answers = AnswerSet("set", corpus, (asked, none))
    told: list[int] = []
    with indexed(answers.corpus, "hashing", lambda _: None) as (engine, kb):
        found = read(engine, kb, answers.questions, told.append)
    assert [(one.question.id, one.is_answerable, one.weight) for one in found] == [
        ("1", True, 1.0),
        ("1", False, 0.25),
        ("2", False, 1.0),
    ]
    assert {s.hit.uri for s in found[1].reading.sentences} == {"lion"}
    assert told == [1, 2]
