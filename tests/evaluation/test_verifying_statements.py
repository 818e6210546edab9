from dataclasses import replace
from pathlib import Path

import pytest

from evaluation import verifying_statements as statements
from evaluation.answer_set import AnswerSet, read_answer_set
from evaluation.verifying_statements import Judged
from retrieval.engine import Engine
from retrieval.types import Outcome
from retrieval.verifying.verifier import Finding, Verifier
from tests.evaluation.sets import entry, lines

TOWNS = ("Arden", "Brill", "Corwen", "Dalby", "Ely", "Fowey", "Goole", "Hexham")


@pytest.fixture
def answers(tmp_path: Path) -> AnswerSet:
    corpus = [
        entry(town, f"The bridge of {town} was opened in {1850 + n}.", title=town)
        for n, town in enumerate(TOWNS)
    ]
    asked = [
        {
            "id": town,
            "question": f"When was the bridge of {town} opened?",
            "answers": [str(1850 + n)],
            "doc_id": town,
        }
        for n, town in enumerate(TOWNS)
    ]
    (tmp_path / "corpus.jsonl").write_text(lines(*corpus), encoding="utf-8")
    (tmp_path / "questions.jsonl").write_text(lines(*asked), encoding="utf-8")
    return read_answer_set(tmp_path)


def judged(engine: Engine, answers: AnswerSet, half: int, most: int = 9) -> list[Judged]:
    return statements.judge(Verifier(engine.embedders), answers, half, most, 0, lambda _: None)


def test_true_sentences_are_verified_and_those_with_another_answer_are_not(
    engine: Engine, answers: AnswerSet
) -> None:
    both = [*judged(engine, answers, 0), *judged(engine, answers, 1)]
    assert len(both) == 2 * len(TOWNS)
    assert both == [*judged(engine, answers, 0), *judged(engine, answers, 1)]
    found = statements.score(both)
    assert (found.statements, found.verified.mean, found.contradicted.mean) == (16, 1.0, 0.0)
    assert (found.false_verified.mean, found.false_contradicted.mean) == (0.0, 1.0)
    assert 0 <= found.calibration_error < 0.5
    assert statements.fit_support(both) is None  # none of the verified is false


def test_as_many_as_are_asked_for(engine: Engine, answers: AnswerSet) -> None:
    assert len(judged(engine, answers, 0, most=1)) == 2


def test_the_weights_tell_true_ones_by_what_is_covered(engine: Engine, answers: AnswerSet) -> None:
    (true, *_) = judged(engine, answers, 0)
    support = true.finding.support
    assert support
    less = replace(support, coverage=0.3, cosine=0.3)
    cases = [
        Judged(n % 4 != 0, Finding(Outcome.VERIFIED, support if n % 4 else less)) for n in range(40)
    ]
    weights = statements.fit_support(cases)
    assert weights is not None
    assert weights["coverage"] + weights["cosine"] > 0
