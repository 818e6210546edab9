"""Which sentence holds the answer: a probability by weights that were fitted, not guessed."""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from retrieval.question import is_chinese
from retrieval.reading.features import Features

# Fitted on half of the topics of SQuAD 2.0 and of CMRC 2018, on 2026-11-22, by `footnote eval
# reader`. The embedder reads English: it counts for less in Chinese.
ENGLISH = Features(
    cosine=3.476,
    near_cosine=8.72,
    coverage=2.922,
    after_coverage=2.942,
    passage_coverage=4.506,
    passage_score=4.384,
    kind=1.557,
    novelty=-3.585,
    length=0.893,
    first=0.155,
)
CHINESE = Features(
    cosine=1.076,
    near_cosine=2.642,
    coverage=8.423,
    after_coverage=12.089,
    passage_coverage=0.827,
    passage_score=4.101,
    kind=1.984,
    novelty=-4.081,
    length=0.258,
    first=1.259,
)


def weights(question: str) -> Features:
    """What speaks how much for a sentence as the answer to this question."""
    return CHINESE if is_chinese(question) else ENGLISH


def matrix(rows: Sequence[Features]) -> NDArray[np.float64]:
    """`(n, f)`: a row a candidate, in the order of the fields."""
    return np.array([astuple(row) for row in rows], dtype=np.float64)


def shares(rows: Sequence[Features], weights: Features) -> list[float]:
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
