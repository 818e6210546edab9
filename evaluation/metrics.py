"""Measures of a ranking against judgements; a formula a function, each in [0, 1]."""

import math
from collections.abc import Mapping, Sequence


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """nDCG@k with linear gain: the sum of grade / log2(1 + rank), over that of an ideal ranking.

    Järvelin, Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4),
    2002; the gain as in trec_eval, where a grade below 0 gains nothing. 0 where nothing is
    relevant.
    """
    gained = _dcg([grades.get(document, 0) for document in ranking[:k]])
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Recall@k: the share of the relevant documents among the first k. 0 where none is."""
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, ties counting half.

    The area under the ROC curve as the Mann-Whitney statistic: Hanley, McNeil, Radiology
    143(1), 1982. Raises ValueError where either is empty.
    """
    if not positive or not negative:
        raise ValueError("AUROC needs positives and negatives.")
    ordered = sorted([(score, 1) for score in positive] + [(score, 0) for score in negative])
    ranks: dict[float, list[int]] = {}
    for rank, (score, _) in enumerate(ordered, start=1):
        ranks.setdefault(score, []).append(rank)
    rank_sum = sum(sum(ranks[score]) / len(ranks[score]) for score in positive)
    n, m = len(positive), len(negative)
    return (rank_sum - n * (n + 1) / 2) / (n * m)


def _dcg(grades: Sequence[int]) -> float:
    return sum(max(0, grade) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
