"""The scores of a run as trec_eval reads them."""

from collections.abc import Mapping

import numpy as np

from evaluation.runs import Run


def scores(run: Run, question: str, grades: Mapping[str, int]) -> dict[str, float]:
    """The score of each document's best span, so that trec_eval ranks and judges them as we do.

    It orders equal scores by id, and some versions compare in single precision: scores are given
    in that, and one that isn't below the one before is lowered to the next number that is.
    """
    best: dict[str, float] = {}
    for one in run.retrieved[question]:
        best.setdefault(one.document, one.score)
    scored: dict[str, float] = {}
    last = np.float32(np.inf)
    for document in run.ranking(question, grades):
        below = np.nextafter(last, np.float32(-np.inf))
        last = min(np.float32(best[document]), below)
        scored[document] = float(last)
    return scored
