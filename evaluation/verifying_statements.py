"""How a verifier judges sentences that no passage has: true ones, and the same with another answer.

They are put together from questions and answers (`evaluation.statements`), and are held against the
passage that the question was asked about. A false one has the answer of another question that asks
for the same kind of thing.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation import logistic
from evaluation.answer_set import AnswerQuestion, AnswerSet, sampled
from evaluation.metrics import calibration_error
from evaluation.significance import Interval, interval
from evaluation.statements import statement
from evaluation.verifying import as_hit
from retrieval.reading.answer_kinds import Kind, asked_for
from retrieval.types import Hit, Outcome
from retrieval.verifying.verifier import Finding, Support, Verifier

_TRIES = 20  # answers by chance, until one doesn't stand in the passage


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence, whether it is true, and what the verifier found."""

    true: bool
    finding: Finding


@dataclass(frozen=True, slots=True)
class StatementScore:
    """Of true and of false sentences the shares, in [0, 1], that are verified and contradicted; and
    how far the support of the verified is from the share of true ones among them.
    """

    statements: int
    verified: Interval
    contradicted: Interval
    false_verified: Interval
    false_contradicted: Interval
    calibration_error: float


def judge(
    verifier: Verifier,
    answers: AnswerSet,
    half: int,
    most: int,
    seed: int,
    watch: Callable[[int], None],
) -> list[Judged]:
    """At most so many true sentences of one half of the topics, each followed by a false one."""
    hits = {entry.id: as_hit(entry) for entry in answers.corpus}
    answerable = [one for one in answers.half(half) if one.is_answerable]
    others = _by_kind(answerable)
    found: list[Judged] = []
    for question in sampled(answerable, None):
        said = statement(question.question, question.answers[0])
        chance = random.Random(f"{question.id} {seed}")  # noqa: S311
        other = _another(question, hits[question.source], others, chance)
        changed = statement(question.question, other) if other else None
        if said is None or changed is None:
            continue
        for text, true in ((said, True), (changed, False)):
            found.append(Judged(true, verifier.verify(text, [hits[question.source]])))
        watch(len(found))
        if len(found) >= 2 * most:
            break
    return found


def score(judged: Sequence[Judged]) -> StatementScore:
    """What came of them."""
    verified = _verified(judged)
    return StatementScore(
        statements=len(judged),
        verified=_share(judged, Outcome.VERIFIED, true=True),
        contradicted=_share(judged, Outcome.CONTRADICTED, true=True),
        false_verified=_share(judged, Outcome.VERIFIED, true=False),
        false_contradicted=_share(judged, Outcome.CONTRADICTED, true=False),
        calibration_error=calibration_error(
            [support.score for support, _ in verified], [true for _, true in verified]
        ),
    )


def fit_support(judged: Sequence[Judged]) -> dict[str, float] | None:
    """The weights of `Support.score`; None unless some of the verified are true, and some false."""
    verified = _verified(judged)
    if len({true for _, true in verified}) < 2:
        return None
    rows = np.array([(support.coverage, support.cosine) for support, _ in verified])
    labels = np.array([float(true) for _, true in verified])
    coverage, cosine, intercept = logistic.fit(rows, labels, np.ones(len(labels)))
    return {"coverage": coverage, "cosine": cosine, "intercept": intercept}


def _verified(judged: Sequence[Judged]) -> list[tuple[Support, bool]]:
    return [
        (one.finding.support, one.true)
        for one in judged
        if one.finding.support and one.finding.outcome is Outcome.VERIFIED
    ]


def _share(judged: Sequence[Judged], outcome: Outcome, *, true: bool) -> Interval:
    return interval([float(one.finding.outcome is outcome) for one in judged if one.true is true])


def _by_kind(questions: Sequence[AnswerQuestion]) -> Mapping[Kind, list[str]]:
    """The answers of questions that ask for the same kind of thing."""
    found: dict[Kind, list[str]] = {}
    for one in questions:
        found.setdefault(asked_for(one.question), []).append(one.answers[0])
    return found


def _another(
    question: AnswerQuestion, passage: Hit, others: Mapping[Kind, list[str]], chance: random.Random
) -> str | None:
    """An answer of the same kind that doesn't stand in the passage."""
    of_kind = others[asked_for(question.question)]
    for other in chance.sample(of_kind, min(_TRIES, len(of_kind))):
        if other.casefold() not in passage.text.casefold():
            return other
    return None
