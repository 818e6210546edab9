"""What speaks for there being an answer at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.reading.features import Features

_NEGATED = re.compile(
    r"\b(?:not|never|no|none|without|cannot|nor|neither|except|least)\b|n['’]t\b"
    r"|[不没无非未]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the best sentence of what was found fits the question; what an abstention goes by.

    The first eight are those of that sentence's features; `best_cosine` is the highest of all
    sentences, and `negated` 1 where the question denies something, which questions do that were
    made so that a passage doesn't answer them.
    """

    cosine: float
    near_cosine: float
    coverage: float
    after_coverage: float
    passage_coverage: float
    kind: float
    lacks_number: float
    lacks_name: float
    best_cosine: float
    negated: float


NOTHING = Evidence(*[0.0] * 10)


def evidence(question: str, best: Features, cosines: Sequence[float]) -> Evidence:
    """For a question, by its best sentence and the cosines of all."""
    return Evidence(
        cosine=best.cosine,
        near_cosine=best.near_cosine,
        coverage=best.coverage,
        after_coverage=best.after_coverage,
        passage_coverage=best.passage_coverage,
        kind=best.kind,
        lacks_number=best.lacks_number,
        lacks_name=best.lacks_name,
        best_cosine=max(cosines),
        negated=float(bool(_NEGATED.search(question))),
    )
