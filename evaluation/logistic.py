"""Logistic regression, for the few weights that turn evidence into a probability."""

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import DatasetError

_RIDGE = 1e-3  # keeps correlated features from pulling against each other
_STEPS = 30

Numbers = NDArray[np.float64]


def fit(rows: Numbers, labels: Numbers, counts: Numbers) -> list[float]:
    """The weights of `(n, d)` rows, and last the intercept; each row as often as it `counts`.

    By iteratively reweighted least squares, with a small ridge: Hastie, Tibshirani, Friedman, "The
    Elements of Statistical Learning", 2nd ed., 4.4.1. Raises DatasetError where the labels, 0 or 1,
    are all the same.
    """
    if len(np.unique(labels)) < 2:
        raise DatasetError("Fitting takes cases that are true and cases that aren't.")
    design = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.diag([_RIDGE * len(rows)] * rows.shape[1] + [0.0])
    solution = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-(design @ solution)))
        curvature = counts * np.maximum(chance * (1.0 - chance), 1e-9)
        gradient = design.T @ (counts * (labels - chance)) - penalty @ solution
        solution = solution + np.linalg.solve(
            design.T @ (design * curvature[:, None]) + penalty, gradient
        )
    return [float(round(one, 3)) for one in solution]
