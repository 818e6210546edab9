import numpy as np
import pytest

from evaluation import logistic
from evaluation.errors import DatasetError


def test_the_weights_that_made_the_labels_are_found() -> None:
    chance = np.random.default_rng(1)
    rows = chance.normal(size=(20_000, 2))
    labels = (
        chance.random(20_000) < 1 / (1 + np.exp(-(2 * rows[:, 0] - rows[:, 1] + 0.5)))
    ).astype(float)
    assert logistic.fit(rows, labels, np.ones(20_000)) == pytest.approx([2, -1, 0.5], abs=0.1)


def test_a_row_counts_as_often_as_it_is_told() -> None:
    rows, labels = np.array([[0.0], [0.0], [0.0]]), np.array([1.0, 0.0, 0.0])
    _, intercept = logistic.fit(rows, labels, np.array([6.0, 1.0, 1.0]))
    assert intercept == pytest.approx(np.log(3), abs=1e-3)


def test_labels_that_are_all_the_same_fit_nothing() -> None:
    with pytest.raises(DatasetError, match="true"):
        logistic.fit(np.zeros((3, 1)), np.ones(3), np.ones(3))
