import math

import numpy as np
import pytest

from evaluation.calibration import fit
from evaluation.errors import DatasetError
from retrieval.chat.extractive import Evidence

WEIGHTS = (4.0, 2.0, 1.0, -3.0, 2.0)
INTERCEPT = -2.0


def sampled(count: int, seed: int = 0) -> tuple[list[Evidence], list[Evidence]]:
    """Evidence whose kind is drawn from the logistic model above: present, absent."""
    random = np.random.default_rng(seed)
    kinds: tuple[list[Evidence], list[Evidence]] = ([], [])
    for row in random.random((count, 5)):
        chance = 1 / (1 + math.exp(-(row @ WEIGHTS + INTERCEPT)))
        kinds[random.random() >= chance].append(Evidence(*row.tolist()))
    return kinds


def alike(value: float, count: int) -> list[Evidence]:
    return [Evidence(value, 0.0, 0.0, 0.0, 0.0)] * count


def test_the_weights_that_made_the_data_are_found_again() -> None:
    present, absent = sampled(20_000)
    found = fit(present, absent)
    assert found.weights == pytest.approx(WEIGHTS, abs=0.4)
    assert found.intercept == pytest.approx(INTERCEPT, abs=0.4)
    assert found.held_out == 10_000
    assert 0.75 < found.auroc < 0.9
    assert 0.7 < found.accuracy < found.auroc


def test_the_figures_are_of_questions_that_the_fit_did_not_see() -> None:
    contrary = [row for pair in zip(alike(0.0, 50), alike(1.0, 50), strict=True) for row in pair]
    usual = [row for pair in zip(alike(1.0, 50), alike(0.0, 50), strict=True) for row in pair]
    found = fit(contrary, usual)  # held out is every first of a pair, learnt from every second
    assert found.weights[0] > 0
    assert (found.auroc, found.accuracy, found.held_out) == (0.0, 0.0, 100)


def test_kinds_that_differ_are_told_apart_and_the_ridge_keeps_the_weights_finite() -> None:
    found = fit(alike(1.0, 40), alike(0.0, 40))
    assert (found.auroc, found.accuracy) == (1.0, 1.0)
    assert 1.0 < found.weights[0] < 100.0
    assert found.weights[1:] == pytest.approx((0.0,) * 4)


def test_kinds_that_do_not_differ_are_a_coin() -> None:
    found = fit(alike(0.5, 40), alike(0.5, 40))
    assert found.auroc == 0.5
    assert found.weights[0] == pytest.approx(0.0)


def test_more_is_held_out_where_it_is_told_so() -> None:
    present, absent = sampled(300)
    assert fit(present, absent, held_out=3).held_out == 100


@pytest.mark.parametrize(("present", "absent"), [(0, 10), (10, 0), (1, 10), (0, 0)])
def test_too_few_of_a_kind_are_refused(present: int, absent: int) -> None:
    with pytest.raises(DatasetError, match=f"there are {present} and {absent}"):
        fit(alike(1.0, present), alike(0.0, absent))
    assert fit(alike(1.0, 2), alike(0.0, 2)).held_out == 2
