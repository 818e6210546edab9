"""When to answer: the probability that what was found is about what was asked.

A logistic regression over five numbers that a search yields anyway. It was fitted on questions
whose paragraph was in the knowledge base and questions whose paragraph had been left out:
`footnote eval abstention` in the README tells on what, and how well it does on others.
"""

import math
from dataclasses import astuple

from retrieval.chat.extractive import Evidence

THRESHOLD = 0.5

# In the order of Evidence's fields; the intercept last.
WEIGHTS = (3.0, 2.0, 1.0, 3.0, 2.0)
INTERCEPT = -4.5


def probability(evidence: Evidence) -> float:
    """P(the documents hold an answer), in [0, 1]."""
    logit = INTERCEPT + sum(
        weight * value for weight, value in zip(WEIGHTS, astuple(evidence), strict=True)
    )
    return 1.0 / (1.0 + math.exp(-logit))
