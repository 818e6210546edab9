"""How the scores of two legs become one; a formula a function.

Each takes the scores of the candidates by leg, those that a leg doesn't know left out, and the
dense leg's share in [0, 1]. A higher score is better, in and out.
"""

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from statistics import fmean, pstdev
from typing import TypeAlias

Scores: TypeAlias = Mapping[str, float]

_K = 60  # of reciprocal ranks, as in the paper
_DEVIATIONS = 3.0  # of distribution-based fusion, as published


class Fusion(StrEnum):
    """The ways there are. BACKGROUND is `convex` over `Background.standardised` cosines."""

    BACKGROUND = "background"
    CONVEX = "convex"
    MIN_MAX = "min_max"
    RECIPROCAL_RANKS = "rrf"
    DISTRIBUTIONS = "dbsf"


def convex(dense: Scores, lexical: Scores, weight: float) -> dict[str, float]:
    """weight * dense + (1 - weight) * BM25 / the highest BM25 of the query.

    Unlike reciprocal ranks and min-max scaling it keeps the size of the scores: a leg that
    finds nothing good adds little, whatever it ranks first. A chunk that a leg doesn't know
    gets nothing from it.

    Convex combination with the theoretical minimum: Bruch, Gai, Ingber, "An Analysis of Fusion
    Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.
    """
    highest = max(lexical.values(), default=0.0) or 1.0
    return _combined(dense, {key: score / highest for key, score in lexical.items()}, weight)


def min_max(dense: Scores, lexical: Scores, weight: float) -> dict[str, float]:
    """Convex combination of scores of which the best of each leg is 1, and the worst 0.

    Lee, "Analyses of Multiple Evidence Combination", SIGIR 1997.
    """
    return _combined(_min_max(dense), _min_max(lexical), weight)


def reciprocal_ranks(dense: Scores, lexical: Scores, weight: float) -> dict[str, float]:
    """The sum of weight / (60 + rank) over the legs; 0.5 is reciprocal rank fusion as published.

    Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion Outperforms Condorcet and Individual Rank
    Learning Methods", SIGIR 2009.
    """
    return _combined(_reciprocal(dense), _reciprocal(lexical), weight)


def distributions(dense: Scores, lexical: Scores, weight: float) -> dict[str, float]:
    """Convex combination of scores of which three deviations below the mean are 0, and above, 1.

    Distribution-based score fusion: Mazzeschi, "Distribution-Based Score Fusion (DBSF)", 2023;
    as Qdrant has it.
    """
    return _combined(_distribution(dense), _distribution(lexical), weight)


FUNCTIONS: Mapping[Fusion, Callable[[Scores, Scores, float], dict[str, float]]] = {
    Fusion.BACKGROUND: convex,
    Fusion.CONVEX: convex,
    Fusion.MIN_MAX: min_max,
    Fusion.RECIPROCAL_RANKS: reciprocal_ranks,
    Fusion.DISTRIBUTIONS: distributions,
}


def ranks(scores: Scores) -> dict[str, int]:
    """The rank of each, from 1; ties by id."""
    ordered = sorted(scores, key=lambda key: (-scores[key], key))
    return {key: rank for rank, key in enumerate(ordered, start=1)}


def _combined(dense: Scores, lexical: Scores, weight: float) -> dict[str, float]:
    return {
        key: weight * dense.get(key, 0.0) + (1.0 - weight) * lexical.get(key, 0.0)
        for key in dense.keys() | lexical.keys()
    }


def _min_max(scores: Scores) -> dict[str, float]:
    lowest, highest = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    if highest == lowest:
        return dict.fromkeys(scores, 1.0)
    return {key: (score - lowest) / (highest - lowest) for key, score in scores.items()}


def _reciprocal(scores: Scores) -> dict[str, float]:
    return {key: 1.0 / (_K + rank) for key, rank in ranks(scores).items()}


def _distribution(scores: Scores) -> dict[str, float]:
    if not scores:
        return {}
    mean, spread = fmean(scores.values()), _DEVIATIONS * pstdev(scores.values())
    if math.isclose(spread, 0.0, abs_tol=1e-12):
        return dict.fromkeys(scores, 0.5)
    return {key: (score - mean + spread) / (2 * spread) for key, score in scores.items()}
