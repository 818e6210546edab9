"""How often an answer quotes what answers, and how often it abstains when it should."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Protocol

from evaluation.errors import DatasetError
from evaluation.metrics import auroc, calibration_error, precision_at_coverage
from evaluation.open_loop import percentile
from evaluation.significance import Interval, interval
from retrieval.answering import Question
from retrieval.engine import Engine
from retrieval.types import Answer, Citation, KnowledgeBase

_COVERAGE = 0.8


class Gold(Protocol):
    """A question of which it is known what answers it."""

    @property
    def question(self) -> str: ...

    @property
    def is_answerable(self) -> bool: ...

    def is_quoted_in(self, citation: Citation) -> bool:
        """Whether a citation shows what answers it."""


@dataclass(frozen=True, slots=True)
class Separation:
    """How the confidence tells questions with an answer from those without: AUROC, the share with
    one among the four fifths of highest confidence, and the expected calibration error.
    """

    auroc: float
    precision_at_80: float
    calibration_error: float


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """Shares over a set of questions, each in [0, 1].

    `first` and `any` are of the answerable: what answers stands in the first quote, or in any.
    `refused` is the share of the answerable that got no answer, `abstained` that of the
    unanswerable, if there are any. `verified` is the share of all citations whose quote is the
    document's text from start to end; `quotes` and `characters` are means, of an answer and of a
    quote. Milliseconds an answer.
    """

    answerable: int
    unanswerable: int
    first: Interval
    any: Interval
    refused: Interval
    abstained: Interval | None
    separation: Separation | None
    verified: float
    quotes: float
    characters: float
    p50: float
    p95: float


def measure(
    engine: Engine,
    kb: KnowledgeBase,
    questions: Sequence[Gold],
    on_progress: Callable[[int], None],
) -> AnswerScore:
    """Ask all questions of a knowledge base that holds their documents.

    Raises DatasetError where none has an answer.
    """
    if not any(one.is_answerable for one in questions):
        raise DatasetError("Measuring answers takes questions that have one.")
    asked: list[tuple[Gold, Answer]] = []
    seconds: list[float] = []
    for question in questions:
        began = time.perf_counter()
        asked.append((question, engine.answering.ask(kb, Question(question.question))))
        seconds.append(time.perf_counter() - began)
        on_progress(len(asked))
    good = [(one, answer) for one, answer in asked if one.is_answerable]
    bad = [answer for one, answer in asked if not one.is_answerable]
    citations = [citation for _, answer in asked for citation in answer.citations]
    return AnswerScore(
        answerable=len(good),
        unanswerable=len(bad),
        first=interval([float(_quoted(one, answer.citations[:1])) for one, answer in good]),
        any=interval([float(_quoted(one, answer.citations)) for one, answer in good]),
        refused=interval([float(answer.abstained) for _, answer in good]),
        abstained=interval([float(answer.abstained) for answer in bad]) if bad else None,
        separation=separation(
            [answer.confidence for _, answer in asked], [one.is_answerable for one, _ in asked]
        )
        if bad
        else None,
        verified=fmean(_holds(engine, kb, one) for one in citations) if citations else 1.0,
        quotes=len(citations) / max(1, sum(not answer.abstained for _, answer in asked)),
        characters=fmean(len(one.quote) for one in citations) if citations else 0.0,
        p50=1e3 * (percentile(seconds, 0.50) or 0.0),
        p95=1e3 * (percentile(seconds, 0.95) or 0.0),
    )


def _quoted(question: Gold, citations: Sequence[Citation]) -> bool:
    return any(question.is_quoted_in(citation) for citation in citations)


def separation(chances: Sequence[float], truths: Sequence[bool]) -> Separation:
    """Of the probabilities that questions have an answer, by whether they do."""
    good = [chance for chance, truth in zip(chances, truths, strict=True) if truth]
    bad = [chance for chance, truth in zip(chances, truths, strict=True) if not truth]
    return Separation(
        auroc(good, bad),
        precision_at_coverage(chances, truths, _COVERAGE),
        calibration_error(chances, truths),
    )


def _holds(engine: Engine, kb: KnowledgeBase, citation: Citation) -> bool:
    """Whether a citation is true of its document."""
    text = engine.documents.get(kb, citation.document_id, citation.version).text
    return text[citation.start : citation.end] == citation.quote
