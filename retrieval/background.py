"""What cosines a question has with chunks that have nothing to do with it.

A cosine of 0.6 says little by itself: with one model all texts are as near as that, with another
none is. What says something is how far it stands out of those with the other chunks. For a
question q and chunks with mean vector m and covariance C, their mean is q·m and their variance
q·Cq, exactly; so one matrix a knowledge base tells both for any question.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.types import Vector, Vectors

_LEAST = 1e-6  # deviation; of copies of one text there is none


@dataclass(frozen=True, slots=True)
class Background:
    """Mean `(d,)` and covariance `(d, d)` of a knowledge base's vectors, of which it has `size`."""

    mean: NDArray[np.float32]
    covariance: NDArray[np.float32]
    size: int

    @classmethod
    def of(cls, blocks: Iterable[Vectors], dimension: int, size: int) -> "Background":
        """That of a sample out of `size` vectors, given in blocks `(n, d)`."""
        count, total = 0, np.zeros(dimension)
        products = np.zeros((dimension, dimension))
        for block in blocks:
            precise = block.astype(np.float64)
            count += len(precise)
            total += precise.sum(axis=0)
            products += precise.T @ precise
        mean = total / max(count, 1)
        covariance = products / max(count, 1) - np.outer(mean, mean)
        return cls(mean.astype(np.float32), covariance.astype(np.float32), size)

    def expected(self, question: Vector) -> tuple[float, float]:
        """Mean and standard deviation of a question's cosines."""
        variance = float(question @ self.covariance @ question)
        return float(question @ self.mean), max(math.sqrt(max(variance, 0.0)), _LEAST)

    def standardised(self, question: Vector, cosines: Mapping[str, float]) -> dict[str, float]:
        """Cosines as deviations above the mean; 1 is the highest to be expected of chance alone."""
        return self.above(*self.expected(question), cosines)

    def above(
        self, mean: float, deviation: float, cosines: Mapping[str, float]
    ) -> dict[str, float]:
        """`standardised` by what is `expected` of the question.

        Of n normal values the highest lies near the square root of 2 ln n: Leadbetter, Lindgren,
        Rootzén, "Extremes and Related Properties of Random Sequences and Processes", 1983, 1.5.
        """
        unit = deviation * math.sqrt(2 * math.log(max(self.size, 2)))
        return {key: (cosine - mean) / unit for key, cosine in cosines.items()}
