"""How often an answer quotes the gold, and how often it abstains when it should."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from statistics import fmean
from urllib.parse import unquote, urlsplit

from evaluation.errors import DatasetError
from evaluation.metrics import auroc
from evaluation.questions import SampleQuestion
from retrieval.answering import Question
from retrieval.engine import Engine
from retrieval.types import Answer, Citation, KnowledgeBase


@dataclass(frozen=True, slots=True)
class AnswerScore:
    """Shares over a set of questions, each in [0, 1].

    `first` and `any` are of the answerable: the gold span overlaps the first quote, or any.
    `refused` is the share of the answerable that got no answer, `abstained` that of the
    unanswerable. `separation` is the AUROC of the confidence.
    """

    answerable: int
    unanswerable: int
    first: float
    any: float
    refused: float
    abstained: float
    separation: float


def measure(
    engine: Engine,
    kb: KnowledgeBase,
    questions: Sequence[SampleQuestion],
    on_progress: Callable[[int], None],
) -> AnswerScore:
    """Ask all questions of a knowledge base that holds their documents.

    Raises DatasetError where all have an answer, or none has.
    """
    if len({question.document is None for question in questions}) < 2:
        raise DatasetError("Measuring answers takes questions with an answer and without one.")
    asked: list[tuple[SampleQuestion, Answer]] = []
    for question in questions:
        asked.append((question, engine.answering.ask(kb, Question(question.question))))
        on_progress(len(asked))
    good = [(q, a) for q, a in asked if q.document is not None]
    bad = [a for q, a in asked if q.document is None]
    return AnswerScore(
        answerable=len(good),
        unanswerable=len(bad),
        first=fmean(_found(q, a.citations[:1]) for q, a in good),
        any=fmean(_found(q, a.citations) for q, a in good),
        refused=fmean(a.abstained for _, a in good),
        abstained=fmean(a.abstained for a in bad),
        separation=auroc([a.confidence for _, a in good], [a.confidence for a in bad]),
    )


def _found(question: SampleQuestion, citations: Sequence[Citation]) -> bool:
    """Whether a citation overlaps the gold span."""
    start, end = question.start or 0, question.end or 0
    return any(
        file_name(citation.uri) == question.document
        and citation.start < end
        and start < citation.end
        for citation in citations
    )


def file_name(uri: str) -> str:
    """The name of the file that a uri locates."""
    return PurePosixPath(unquote(urlsplit(uri).path)).name
