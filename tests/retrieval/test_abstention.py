import math
from dataclasses import astuple, replace

import pytest

from retrieval.abstention import CHINESE, ENGLISH, THRESHOLD, Model, probability
from retrieval.question import is_chinese
from retrieval.reading.evidence import NOTHING, Evidence

STRONG = Evidence(0.7, 0.7, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.7, 0.0)
QUESTIONS = ["How long is the warranty?", "保修期是多久？"]


def test_the_formula_by_hand() -> None:
    model = Model(replace(NOTHING, cosine=2.0, kind=-1.0), 0.5)
    evidence = replace(NOTHING, cosine=0.5, kind=1.0, coverage=9.0)
    assert model.probability(evidence) == pytest.approx(1 / (1 + math.exp(-0.5)))


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_refused_and_everything_is_answered(question: str) -> None:
    assert probability(question, NOTHING) < THRESHOLD
    assert probability(question, STRONG) > 0.5


@pytest.mark.parametrize("model", [ENGLISH, CHINESE])
def test_a_sentence_that_covers_more_of_the_question_is_likelier(model: Model) -> None:
    half = replace(STRONG, coverage=0.5, after_coverage=0.5, passage_coverage=0.5)
    assert model.probability(half) < model.probability(STRONG)


@pytest.mark.parametrize("model", [ENGLISH, CHINESE])
def test_a_sentence_about_another_number_is_less_likely_to_answer(model: Model) -> None:
    assert model.probability(replace(STRONG, lacks_number=1.0)) < model.probability(STRONG)


def test_each_script_has_its_own_numbers() -> None:
    assert [is_chinese(question) for question in QUESTIONS] == [False, True]
    assert astuple(ENGLISH) != astuple(CHINESE)
    first, second = (probability(question, STRONG) for question in QUESTIONS)
    assert first != second
