"""Measures of a ranking against judgements; a formula a function, each in [0, 1].

A document with a grade above 0 is relevant, one without a judgement isn't, as in trec_eval, and
where nothing is relevant each measure is 0. A ranking names a document once. Where a caller
repeats one, recall, hit rate and reciprocal rank don't see it; nDCG, precision and average
precision count it at each of its ranks, and may exceed 1.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """nDCG@k with linear gain: the sum of grade / log2(1 + rank), over that of an ideal ranking.

    Järvelin, Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4),
    2002; the gain as in trec_eval, where a grade below 0 gains nothing.
    """
    gained = _dcg([grades.get(document, 0) for document in ranking[:k]])
    ideal = _dcg(sorted(grades.values(), reverse=True)[:k])
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Recall@k: the share of the relevant documents among the first k.

    Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 2008, 8.3.
    """
    relevant = _relevant(grades)
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def precision(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Precision@k: the share of relevant documents among the first k, k of them found or not.

    Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 2008, 8.4.
    """
    relevant = _relevant(grades)
    return sum(document in relevant for document in ranking[:k]) / k


def hit_rate(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """1 if a relevant document is among the first k, else 0: trec_eval's success@k."""
    return float(not _relevant(grades).isdisjoint(ranking[:k]))


def reciprocal_rank(
    ranking: Sequence[str], grades: Mapping[str, int], k: int | None = None
) -> float:
    """1 / the rank of the first relevant document among the first k, else 0; its mean is MRR.

    Voorhees, "The TREC-8 Question Answering Track Report", TREC 1999.
    """
    relevant = _relevant(grades)
    ranked = enumerate(ranking[:k], start=1)
    return next((1 / rank for rank, document in ranked if document in relevant), 0.0)


def average_precision(
    ranking: Sequence[str], grades: Mapping[str, int], k: int | None = None
) -> float:
    """The precision at each relevant document among the first k, summed, over all the relevant.

    Its mean is MAP: Buckley, Voorhees, "Evaluating evaluation measure stability", SIGIR 2000.
    With k as trec_eval's map_cut: still over all the relevant, more of them than k or not.
    """
    relevant = _relevant(grades)
    ranks = [rank for rank, document in enumerate(ranking[:k], start=1) if document in relevant]
    found = sum(count / rank for count, rank in enumerate(ranks, start=1))
    return found / len(relevant) if relevant else 0.0


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that a positive scores above a negative, ties counting half.

    The area under the ROC curve as the Mann-Whitney statistic: Hanley, McNeil, Radiology
    143(1), 1982. Raises ValueError where either is empty.
    """
    n, m = len(positive), len(negative)
    if not n or not m:
        raise ValueError("AUROC needs positives and negatives.")
    scores = np.concatenate([positive, negative])
    _, value, ties = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (ties.cumsum() - (ties - 1) / 2)[value]
    return float(ranks[:n].sum() - n * (n + 1) / 2) / (n * m)


def calibration_error(chances: Sequence[float], truths: Sequence[bool], bins: int = 10) -> float:
    """How far probabilities are from what comes true, on the mean: the expected calibration error
    over bins of equal width.

    Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
    """
    found: dict[int, list[tuple[float, bool]]] = {}
    for chance, truth in zip(chances, truths, strict=True):
        found.setdefault(min(bins - 1, int(chance * bins)), []).append((chance, truth))
    off = sum(abs(sum(chance - truth for chance, truth in one)) for one in found.values())
    return off / max(1, len(chances))


def precision_at_coverage(
    chances: Sequence[float], truths: Sequence[bool], coverage: float
) -> float:
    """The share that is true of those with the highest chances, `coverage` of all.

    One minus the selective risk of El-Yaniv, Wiener, "On the Foundations of Noise-free Selective
    Classification", JMLR 11, 2010.
    """
    ordered = sorted(zip(chances, truths, strict=True), key=lambda one: -one[0])
    kept = ordered[: max(1, round(coverage * len(ordered)))]
    return sum(truth for _, truth in kept) / len(kept)


def risk_by_coverage(
    chances: Sequence[float], rights: Sequence[bool], points: int = 20
) -> tuple[tuple[float, float], ...]:
    """The share that is wrong of those with the highest chances, by their share of all: at most so
    many pairs (coverage, risk), the last of all. Equal chances count the wrong first.

    The risk-coverage curve of El-Yaniv, Wiener, JMLR 11, 2010.
    """
    ordered = sorted(zip(chances, rights, strict=True), key=lambda one: (-one[0], one[1]))
    count = len(ordered)
    kept = sorted(
        {max(1, round(count * at / points)) for at in range(1, points + 1)} if count else []
    )
    return tuple((n / count, sum(not right for _, right in ordered[:n]) / n) for n in kept)


def _relevant(grades: Mapping[str, int]) -> set[str]:
    return {document for document, grade in grades.items() if grade > 0}


def _dcg(grades: Sequence[int]) -> float:
    return sum(max(0, grade) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
