"""How the scores of two legs become one: each leg is brought to a scale, and the two are added.

What a leg doesn't know gets nothing from it. A higher score is better, in and out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, pstdev
from typing import TypeAlias

Scores: TypeAlias = Mapping[str, float]

_K = 60  # of reciprocal ranks, as published
_DEVIATIONS = 3.0  # of distribution-based fusion, as published


class Fusion(StrEnum):
    """The ways there are. BACKGROUND is CONVEX over `Background.standardised` cosines."""

    BACKGROUND = "background"
    CONVEX = "convex"
    MIN_MAX = "min_max"
    RECIPROCAL_RANKS = "rrf"
    DISTRIBUTIONS = "dbsf"


@dataclass(frozen=True, slots=True)
class Fused:
    """What each leg adds to the score of each candidate that it knows."""

    dense: dict[str, float]
    lexical: dict[str, float]

    @property
    def scores(self) -> dict[str, float]:
        keys = self.dense.keys() | self.lexical.keys()
        return {key: self.dense.get(key, 0.0) + self.lexical.get(key, 0.0) for key in keys}


def fuse(fusion: Fusion, dense: Scores, lexical: Scores, weight: float) -> Fused:
    """Both legs on the scales of a fusion, the dense one times `weight`, in [0, 1], the other
    times the rest.
    """
    of_dense, of_lexical = _SCALES[fusion]
    return Fused(
        {key: weight * score for key, score in of_dense(dense).items()},
        {key: (1.0 - weight) * score for key, score in of_lexical(lexical).items()},
    )


def ranks(scores: Scores) -> dict[str, int]:
    """The rank of each, from 1; ties by id."""
    ordered = sorted(scores, key=lambda key: (-scores[key], key))
    return {key: rank for rank, key in enumerate(ordered, start=1)}


def as_they_are(scores: Scores) -> dict[str, float]:
    """Cosines, whose size says something, or what else is on a scale already."""
    return dict(scores)


def over_the_highest(scores: Scores) -> dict[str, float]:
    """BM25 over the highest of the query; nothing is 0.

    Scaled by its theoretical minimum: a leg that finds nothing good adds little, whatever it
    ranks first, unlike with reciprocal ranks and min-max scaling. Bruch, Gai, Ingber, "An
    Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.
    """
    highest = max(scores.values(), default=0.0) or 1.0
    return {key: score / highest for key, score in scores.items()}


def min_max(scores: Scores) -> dict[str, float]:
    """The best is 1, the worst 0: Lee, "Analyses of Multiple Evidence Combination", SIGIR 1997."""
    lowest, highest = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    if highest == lowest:
        return dict.fromkeys(scores, 1.0)
    return {key: (score - lowest) / (highest - lowest) for key, score in scores.items()}


def reciprocal_ranks(scores: Scores) -> dict[str, float]:
    """1 / (60 + rank): reciprocal rank fusion, and weighted unless the weight is 0.5.

    Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
    Learning Methods", SIGIR 2009.
    """
    return {key: 1.0 / (_K + rank) for key, rank in ranks(scores).items()}


def distributions(scores: Scores) -> dict[str, float]:
    """Three standard deviations below the mean are 0, and as many above, 1.

    Distribution-based score fusion: Mazzeschi, "Distribution-Based Score Fusion (DBSF)", 2023;
    as Qdrant has it.
    """
    if not scores:
        return {}
    mean, spread = fmean(scores.values()), _DEVIATIONS * pstdev(scores.values())
    if math.isclose(spread, 0.0, abs_tol=1e-12):
        return dict.fromkeys(scores, 0.5)
    return {key: (score - mean + spread) / (2 * spread) for key, score in scores.items()}


_Scale: TypeAlias = Callable[[Scores], dict[str, float]]

_SCALES: Mapping[Fusion, tuple[_Scale, _Scale]] = {
    Fusion.BACKGROUND: (as_they_are, over_the_highest),
    Fusion.CONVEX: (as_they_are, over_the_highest),
    Fusion.MIN_MAX: (min_max, min_max),
    Fusion.RECIPROCAL_RANKS: (reciprocal_ranks, reciprocal_ranks),
    Fusion.DISTRIBUTIONS: (distributions, distributions),
}
