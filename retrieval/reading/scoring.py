"""Which sentence holds the answer: a probability by weights that were fitted, not guessed."""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from retrieval.question import is_chinese
from retrieval.reading.features import Features

# Fitted on half of the topics of SQuAD 2.0 and of CMRC 2018, on 2026-11-23, by `footnote eval
# reader`. The embedder reads English: it counts for less in Chinese.
ENGLISH = Features(
    cosine=5.332,
    near_cosine=7.356,
    coverage=3.352,
    after_coverage=2.503,
    passage_coverage=5.271,
    passage_score=6.748,
    kind=2.032,
    novelty=-2.487,
    length=0.957,
    first=0.21,
    lacks_number=-1.131,
    lacks_name=-0.543,
)
CHINESE = Features(
    cosine=0.906,
    near_cosine=2.893,
    coverage=8.233,
    after_coverage=11.698,
    passage_coverage=1.256,
    passage_score=3.897,
    kind=1.976,
    novelty=-4.025,
    length=0.243,
    first=1.287,
    lacks_number=-4.005,
    lacks_name=-2.804,
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
