"""BM25 of one chunk: what the reference index and the calibration score by."""

import math
from collections import Counter
from collections.abc import Mapping

K1, B = 1.2, 0.75  # tantivy's own


def idf(frequency: int, total: int) -> float:
    """What a term weighs that occurs in `frequency` of `total` chunks.

    Lucene's and tantivy's, which is never negative.
    """
    return math.log(1 + (total - frequency + 0.5) / (frequency + 0.5))


def bm25(counts: Counter[str], weights: Mapping[str, float], average: float) -> float:
    """The score of a chunk with these term counts; `average` is the mean length in terms.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009.
    """
    norm = K1 * (1 - B + B * counts.total() / average)
    return sum(
        weight * counts[term] * (K1 + 1) / (counts[term] + norm) for term, weight in weights.items()
    )
