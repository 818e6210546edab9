"""When to answer: the probability that what was found answers what was asked.

Logistic regressions over what the best sentence shows, one for questions in Chinese, one for all
others. `footnote eval reader` fits them, and tells how they do on questions that weren't used.
"""

import math
from dataclasses import astuple, dataclass

from retrieval.question import is_chinese
from retrieval.reading.evidence import Evidence

THRESHOLD = 0.15
"""Answers of less are not given, unless a knowledge base sets another bound."""


@dataclass(frozen=True, slots=True)
class Model:
    """A weight for each kind of evidence, and what is added to them."""

    weights: Evidence
    intercept: float

    def probability(self, evidence: Evidence) -> float:
        """In [0, 1]."""
        pairs = zip(astuple(self.weights), astuple(evidence), strict=True)
        logit = self.intercept + sum(weight * value for weight, value in pairs)
        return 1.0 / (1.0 + math.exp(-logit))


ENGLISH = Model(
    Evidence(
        cosine=1.203,
        near_cosine=1.506,
        coverage=0.809,
        after_coverage=0.835,
        passage_coverage=-0.249,
        kind=-0.001,
        best_cosine=1.53,
        negated=-1.068,
    ),
    -3.664,
)
CHINESE = Model(
    Evidence(
        cosine=1.236,
        near_cosine=0.894,
        coverage=3.963,
        after_coverage=3.797,
        passage_coverage=3.419,
        kind=-0.211,
        best_cosine=0.576,
        negated=0.001,
    ),
    -7.869,
)


def probability(question: str, evidence: Evidence) -> float:
    """P(the documents hold an answer), in [0, 1]."""
    return (CHINESE if is_chinese(question) else ENGLISH).probability(evidence)
