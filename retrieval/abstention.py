"""When to answer: the probability that what was found is about what was asked.

A logistic regression over five numbers that a search yields anyway. It was fitted on questions
whose paragraph was in the knowledge base and as many whose paragraph had been left out:
`footnote eval abstention` in the README tells on what, and how well it does on others.
"""

import math
from dataclasses import astuple

from retrieval.chat.extractive import Evidence

THRESHOLD = 0.5

# In the order of Evidence's fields.
WEIGHTS = (4.168, 3.752, 1.266, 2.34, 0.695)
INTERCEPT = -7.527

# Answerable questions to unanswerable ones, as people ask their own documents. The fit saw as
# many of each, and would refuse too much of what can be answered.
PRIOR_ODDS = 4.0


def probability(evidence: Evidence) -> float:
    """P(the documents hold an answer), in [0, 1]."""
    logit = INTERCEPT + math.log(PRIOR_ODDS)
    logit += sum(weight * value for weight, value in zip(WEIGHTS, astuple(evidence), strict=True))
    return 1.0 / (1.0 + math.exp(-logit))
