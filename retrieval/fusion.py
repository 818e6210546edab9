"""How the scores of two legs become one."""

from collections.abc import Mapping


def convex(
    dense: Mapping[str, float], lexical: Mapping[str, float], weight: float
) -> dict[str, float]:
    """weight * cosine + (1 - weight) * BM25 / the highest BM25 of the query.

    Unlike reciprocal ranks and min-max scaling it keeps the size of the scores: a leg that
    finds nothing good adds little, whatever it ranks first. A chunk that a leg doesn't know
    gets nothing from it.

    Convex combination with the theoretical minimum: Bruch, Gai, Ingber, "An Analysis of Fusion
    Functions for Hybrid Retrieval", ACM TOIS 42(1), 2023.
    """
    highest = max(lexical.values(), default=0.0) or 1.0
    return {
        key: weight * dense.get(key, 0.0) + (1.0 - weight) * lexical.get(key, 0.0) / highest
        for key in dense.keys() | lexical.keys()
    }
