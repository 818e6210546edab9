"""Which sentence holds the answer: a probability by weights that were fitted, not guessed."""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from retrieval.reading.features import Features

# Fitted on half of the topics of SQuAD 2.0 and CMRC 2018, on 2026-11-22, by `footnote eval reader`.
WEIGHTS = Features(
    cosine=1.735,
    near_cosine=4.311,
    coverage=4.335,
    after_coverage=4.722,
    passage_coverage=2.552,
    passage_score=5.646,
    kind=1.817,
    novelty=-4.798,
    length=0.661,
    first=0.452,
)


def matrix(rows: Sequence[Features]) -> NDArray[np.float64]:
    """`(n, f)`: a row a candidate, in the order of the fields."""
    return np.array([astuple(row) for row in rows], dtype=np.float64)


def shares(rows: Sequence[Features], weights: Features = WEIGHTS) -> list[float]:
    """The probability of each candidate that it holds the answer, if one of them does; their sum
    is 1.

    A conditional logit over the candidates of a question: McFadden, "Conditional Logit Analysis of
    Qualitative Choice Behavior", 1974.
    """
    found: list[float] = softmax(matrix(rows) @ np.array(astuple(weights))).tolist()
    return found


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """`(n,)` probabilities in the proportions of e to the power of each score."""
    exponents = np.exp(scores - scores.max())
    return np.asarray(exponents / exponents.sum())
