"""When to answer: the probability that what was found answers what was asked.

Logistic regressions over what the best sentence shows, one for questions in Chinese, one for all
others. `footnote eval reader` fits them, and tells how they do on questions that weren't used.
"""

import math
from dataclasses import astuple, dataclass

from retrieval.question import is_chinese
from retrieval.reading.evidence import Evidence

THRESHOLD = 0.12
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
        cosine=1.464,
        near_cosine=1.183,
        coverage=0.678,
        after_coverage=1.071,
        passage_coverage=-0.718,
        kind=-0.148,
        lacks_number=-2.18,
        lacks_name=-0.612,
        best_cosine=1.322,
        negated=-2.101,
    ),
    -3.058,
)
CHINESE = Model(
    Evidence(
        cosine=1.181,
        near_cosine=1.196,
        coverage=3.954,
        after_coverage=3.702,
        passage_coverage=3.423,
        kind=-0.179,
        lacks_number=-2.08,
        lacks_name=-0.286,
        best_cosine=-0.243,
        negated=0.012,
    ),
    -7.351,
)


def probability(question: str, evidence: Evidence) -> float:
    """P(the documents hold an answer), in [0, 1]."""
    return (CHINESE if is_chinese(question) else ENGLISH).probability(evidence)
