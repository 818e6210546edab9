"""Fitting the reader: which sentence answers, and whether any does."""

from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation import logistic
from evaluation.answer_set import AnswerQuestion
from evaluation.answers import Separation, separation
from evaluation.errors import DatasetError
from retrieval.abstention import Model
from retrieval.engine import Engine
from retrieval.reading.evidence import Evidence
from retrieval.reading.features import Features
from retrieval.reading.reader import Reader, Reading
from retrieval.reading.scoring import matrix, softmax
from retrieval.search import Query
from retrieval.types import KnowledgeBase

_K = 10
_RIDGE = 1e-3  # keeps correlated features from pulling against each other
_STEPS = 30
# What a question without its document weighs beside one that was written to have no answer: it is
# told apart easily, and would otherwise decide what is made of the others.
_LEFT_OUT = 0.25


@dataclass(frozen=True, slots=True)
class Read:
    """A question, what was read for it, and which sentences hold an answer; `weight` in a fit."""

    question: AnswerQuestion
    reading: Reading
    gold: tuple[bool, ...]
    weight: float = 1.0

    @property
    def is_answerable(self) -> bool:
        return any(self.gold)


def read(
    engine: Engine,
    kb: KnowledgeBase,
    questions: Sequence[AnswerQuestion],
    watch: Callable[[int], None],
) -> list[Read]:
    """What is read for each question; and, of those with an answer, what would be if their document
    weren't there.
    """
    reader, postings = Reader(engine.embedders), engine.stores.lexical(kb.generation.id)
    found: list[Read] = []
    for done, one in enumerate(questions, start=1):
        hits = engine.searcher.search(kb, Query(one.question, _K)).hits
        reading = reader.read(one.question, hits, postings)
        gold = tuple(one.is_answered_by(sentence.text) for sentence in reading.sentences)
        if any(gold) or not one.answers:
            found.append(Read(one, reading, gold))
        if one.answers:
            elsewhere = {"uri": {"$ne": one.source}}
            hits = engine.searcher.search(kb, Query(one.question, _K, filter=elsewhere)).hits
            left = reader.read(one.question, hits, postings)
            if not any(one.is_answered_by(sentence.text) for sentence in left.sentences):
                found.append(Read(one, left, (False,) * len(left.sentences), _LEFT_OUT))
        watch(done)
    return found


def fit_sentences(cases: Sequence[Read]) -> Features:
    """The weights of `retrieval.reading.scoring`, by the cases that have an answer.

    The marginal likelihood that the sentence drawn is one that holds it, maximised by Newton's
    method with the curvature of the conditional logit: McFadden, 1974. Raises DatasetError.
    """
    rows = [(matrix(one.reading.rows), np.array(one.gold)) for one in cases if one.is_answerable]
    if not rows:
        raise DatasetError("Fitting takes questions whose answer is found.")
    spread = np.concatenate([found for found, _ in rows]).std(axis=0) + 1e-9
    scaled = [(found / spread, gold) for found, gold in rows]
    weights = np.zeros(len(spread))
    for _ in range(_STEPS):
        gradient = _RIDGE * len(rows) * weights
        curvature = np.diag(np.full(len(spread), _RIDGE * len(rows)))
        for found, gold in scaled:
            chance = softmax(found @ weights)
            among_gold = chance * gold / (chance * gold).sum()
            centred = found - chance @ found
            gradient += (chance - among_gold) @ found
            curvature += (centred * chance[:, None]).T @ centred
        weights = weights - np.linalg.solve(curvature, gradient)
    return Features(*(float(round(one, 3)) for one in weights / spread))


def best_sentences(cases: Sequence[Read], weights: Features) -> tuple[float, float]:
    """How often the sentence that scores best holds the answer, and one of the best three."""
    ranked = [
        [one.gold[at] for at in np.argsort(-np.array(one.reading.shares(weights)), kind="stable")]
        for one in cases
        if one.is_answerable
    ]
    return (
        float(np.mean([gold[0] for gold in ranked])),
        float(np.mean([any(gold[:3]) for gold in ranked])),
    )


def fit_abstention(cases: Sequence[Read], weights: Features) -> Model:
    """A logistic regression on the evidence, sentences chosen by these weights. Raises
    DatasetError.
    """
    rows = np.array([astuple(one.reading.evidence(weights)) for one in cases])
    labels = np.array([float(one.is_answerable) for one in cases])
    *found, intercept = logistic.fit(rows, labels, _counted(cases))
    return Model(Evidence(*found), intercept)


def separated(cases: Sequence[Read], weights: Features, model: Model) -> Separation:
    """How a model does on the cases that `judged` leaves."""
    chances = [model.probability(one.reading.evidence(weights)) for one in cases]
    return separation(chances, [one.is_answerable for one in cases])


def judged(cases: Sequence[Read]) -> list[Read]:
    """Those by which an abstention is measured: of a set with questions that were written to have
    no answer these and those with one; of another each question twice, with its document and
    without it.
    """
    if _some_are_written(cases):
        return [one for one in cases if one.weight == 1.0]
    return list(cases)


def _counted(cases: Sequence[Read]) -> NDArray[np.float64]:
    """What each counts: a question without its document less beside one that has no answer."""
    written = _some_are_written(cases)
    return np.array([one.weight if written else 1.0 for one in cases])


def _some_are_written(cases: Sequence[Read]) -> bool:
    """Whether there are questions that were written to have no answer."""
    return not all(one.question.is_answerable for one in cases)
