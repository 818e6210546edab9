"""How often an answer quotes what answers, and how often it abstains when it should."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from evaluation.answer_words import exact, f1
from evaluation.errors import DatasetError
from evaluation.metrics import (
    auroc,
    calibration_error,
    precision_at_coverage,
    risk_by_coverage,
)
from evaluation.open_loop import percentile
from evaluation.significance import Interval, interval, of_two_kinds
from retrieval.engine import Engine
from retrieval.types import Answer, Citation, KnowledgeBase, Outcome

_COVERAGE = 0.8


class Gold(Protocol):
    """A question of which it is known what answers it."""

    @property
    def question(self) -> str: ...

    @property
    def answers(self) -> tuple[str, ...]: ...

    @property
    def is_answerable(self) -> bool: ...

    def is_quoted_in(self, citation: Citation) -> bool:
        """Whether a citation shows what answers it."""

    def is_from_source(self, citation: Citation) -> bool:
        """Whether a citation is of the document that it was asked about."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A question, its answer, and the seconds that this took."""

    question: Gold
    answer: Answer
    seconds: float

    @property
    def is_right(self) -> bool:
        """Whether what answers is shown."""
        return _quoted(self.question, self.answer.citations)


@dataclass(frozen=True, slots=True)
class Separation:
    """How the confidence tells questions with an answer from those without: AUROC, the share with
    one among the four fifths of highest confidence, and the expected calibration error.
    """

    auroc: Interval
    precision_at_80: Interval
    calibration_error: float


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """Shares over a set of questions, each in [0, 1].

    Of the answerable: what answers stands in the `first` quote, or in `any`; `exact` and `f1` of
    the answer's words; `cited` have a citation of the document that they were asked about;
    `refused` got no answer. `abstained` is that of the unanswerable, if there are any. `precise` is
    the share of citations that are of that document; `verified` the share whose quote is the
    document's text from start to end; `supported` the share of sentences with a footnote. `risk` is
    the share of wrong answers among the most confident, by their share of all. `quotes` and
    `characters` are means, of an answer and of a quote. Milliseconds an answer.
    """

    answerable: int
    unanswerable: int
    first: Interval
    any: Interval
    exact: Interval
    f1: Interval
    cited: Interval
    precise: Interval | None
    refused: Interval
    abstained: Interval | None
    separation: Separation | None
    risk: tuple[tuple[float, float], ...]
    verified: float
    supported: float
    quotes: float
    characters: float
    p50: float
    p95: float


def ask_all(
    ask: Callable[[str], Answer], questions: Sequence[Gold], on_progress: Callable[[int], None]
) -> list[Answered]:
    """What is answered to each. Raises DatasetError where none has an answer."""
    if not any(one.is_answerable for one in questions):
        raise DatasetError("Measuring answers takes questions that have one.")
    found: list[Answered] = []
    for question in questions:
        began = time.perf_counter()
        answer = ask(question.question)
        found.append(Answered(question, answer, time.perf_counter() - began))
        on_progress(len(found))
    return found


def score(engine: Engine, kb: KnowledgeBase, asked: Sequence[Answered]) -> AnswerScore:
    """Of answers by a knowledge base that holds their documents."""
    good = [one for one in asked if one.question.is_answerable]
    bad = [one for one in asked if not one.question.is_answerable]
    cited = [(one.question, citation) for one in asked for citation in one.answer.citations]
    statements = [statement for one in asked for statement in one.answer.statements]
    seconds = [one.seconds for one in asked]

    def share(of: Callable[[Answered], float]) -> Interval:
        return interval([float(of(one)) for one in good])

    return AnswerScore(
        answerable=len(good),
        unanswerable=len(bad),
        first=share(lambda one: _quoted(one.question, one.answer.citations[:1])),
        any=share(lambda one: one.is_right),
        exact=share(lambda one: exact(_said(one.answer), one.question.answers)),
        f1=share(lambda one: f1(_said(one.answer), one.question.answers)),
        cited=share(lambda one: any(map(one.question.is_from_source, one.answer.citations))),
        precise=interval([float(gold.is_from_source(one)) for gold, one in cited])
        if cited
        else None,
        refused=share(lambda one: one.answer.abstained),
        abstained=interval([float(one.answer.abstained) for one in bad]) if bad else None,
        separation=separation(
            [one.answer.confidence for one in asked],
            [one.question.is_answerable for one in asked],
        )
        if bad
        else None,
        risk=risk_by_coverage(
            [one.answer.confidence for one in asked], [one.is_right for one in asked]
        ),
        verified=fmean(_holds(engine, kb, one) for _, one in cited) if cited else 1.0,
        supported=fmean(one.outcome is Outcome.VERIFIED for one in statements)
        if statements
        else 1.0,
        quotes=len(cited) / max(1, sum(not one.answer.abstained for one in asked)),
        characters=fmean(len(one.quote) for _, one in cited) if cited else 0.0,
        p50=1e3 * (percentile(seconds, 0.50) or 0.0),
        p95=1e3 * (percentile(seconds, 0.95) or 0.0),
    )


def separation(chances: Sequence[float], truths: Sequence[bool]) -> Separation:
    """Of the probabilities that questions have an answer, by whether they do."""
    good = [chance for chance, truth in zip(chances, truths, strict=True) if truth]
    bad = [chance for chance, truth in zip(chances, truths, strict=True) if not truth]
    return Separation(
        of_two_kinds(auroc, good, bad),
        of_two_kinds(_precision, good, bad),
        calibration_error(chances, truths),
    )


def _precision(good: Sequence[float], bad: Sequence[float]) -> float:
    truths = [False] * len(bad) + [True] * len(good)  # equal chances count against it
    return precision_at_coverage([*bad, *good], truths, _COVERAGE)


def _said(answer: Answer) -> str:
    return "" if answer.abstained else answer.text


def _quoted(question: Gold, citations: Sequence[Citation]) -> bool:
    return any(question.is_quoted_in(citation) for citation in citations)


def _holds(engine: Engine, kb: KnowledgeBase, citation: Citation) -> bool:
    """Whether a citation is true of its document."""
    text = engine.documents.get(kb, citation.document_id, citation.version).text
    return text[citation.start : citation.end] == citation.quote
