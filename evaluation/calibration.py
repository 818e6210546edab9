"""Fitting the abstention: a logistic regression on questions with and without their paragraph."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import DatasetError
from evaluation.metrics import auroc
from retrieval.chat.extractive import Evidence

_RIDGE = 1e-3  # keeps correlated features from pulling against each other
_STEPS = 50


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights in the order of Evidence's fields, and how they do on held-out questions."""

    weights: tuple[float, ...]
    intercept: float
    auroc: float
    accuracy: float
    held_out: int


def fit(
    present: Sequence[Evidence], absent: Sequence[Evidence], *, held_out: int = 2
) -> Calibration:
    """Fit on all but every `held_out`-th question, and measure on those. Raises DatasetError."""
    if min(len(present), len(absent)) < held_out:
        raise DatasetError(
            f"Fitting takes at least {held_out} questions with an answer and {held_out} without; "
            f"there are {len(present)} and {len(absent)}."
        )
    features = np.array([astuple(one) for one in (*present, *absent)])
    labels = np.array([1.0] * len(present) + [0.0] * len(absent))
    test = np.arange(len(labels)) % held_out == 0
    solution = _logistic(features[~test], labels[~test])
    logits = features[test] @ solution[:-1] + solution[-1]
    truth = labels[test] == 1.0
    return Calibration(
        weights=tuple(float(w) for w in solution[:-1]),
        intercept=float(solution[-1]),
        auroc=auroc(logits[truth].tolist(), logits[~truth].tolist()),
        accuracy=float(np.mean((logits > 0) == truth)),
        held_out=int(test.sum()),
    )


def _logistic(features: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights and intercept by iteratively reweighted least squares, with a small ridge.

    Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 2nd ed., 4.4.1.
    """
    design = np.column_stack([features, np.ones(len(labels))])
    penalty = np.diag([_RIDGE * len(labels)] * features.shape[1] + [0.0])
    solution = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-(design @ solution)))
        weight = np.maximum(chance * (1.0 - chance), 1e-9)
        gradient = design.T @ (labels - chance) - penalty @ solution
        solution = solution + np.linalg.solve(
            design.T @ (design * weight[:, None]) + penalty, gradient
        )
    return solution
