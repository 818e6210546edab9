"""When to answer: the probability that what was found answers what was asked.

Logistic regressions over what the best sentence shows, one for questions in Chinese, one for all
others. `footnote eval reader` fits them, and tells how they do on questions that weren't used.
"""

import math
from dataclasses import astuple, dataclass

from retrieval.question import is_chinese
from retrieval.reading.evidence import Evidence

THRESHOLD = 0.08
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
        cosine=1.189,
        near_cosine=1.499,
        coverage=0.583,
        after_coverage=0.958,
        passage_coverage=-0.167,
        kind=-0.101,
        best_cosine=1.567,
        negated=-1.869,
    ),
    -3.631,
)
CHINESE = Model(
    Evidence(
        cosine=1.328,
        near_cosine=1.24,
        coverage=3.981,
        after_coverage=3.743,
        passage_coverage=3.413,
        kind=-0.207,
        best_cosine=-0.372,
        negated=-0.011,
    ),
    -7.433,
)


def probability(question: str, evidence: Evidence) -> float:
    """P(the documents hold an answer), in [0, 1]."""
    return (CHINESE if is_chinese(question) else ENGLISH).probability(evidence)
