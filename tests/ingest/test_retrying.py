"""What is tried again, and when; see test_jobs_put_off for the jobs themselves."""

import time

import pytest

from ingest.errors import DamagedDocument
from ingest.retrying import delay, may_pass, remaining
from retrieval.errors import (
    DataLost,
    EmbeddingFailed,
    ModelServerCrashed,
    ModelServerUnavailable,
    Overloaded,
    StoreUnavailable,
)


@pytest.mark.parametrize("error", [StoreUnavailable, ModelServerUnavailable, Overloaded])
def test_what_may_pass(error: type[Exception]) -> None:
    assert may_pass(error("away"))


@pytest.mark.parametrize("error", [DataLost, EmbeddingFailed, DamagedDocument, ValueError])
def test_what_stays(error: type[Exception]) -> None:
    assert not may_pass(error("broken"))


def test_a_runner_that_dies_is_given_three_chances() -> None:
    error = ModelServerCrashed("died")
    assert [may_pass(error, attempts) for attempts in (1, 2, 3)] == [True, True, False]


def test_the_wait_grows_to_five_minutes() -> None:
    assert [delay(n) for n in (1, 2, 3, 4, 5, 1_000)] == [2, 8, 32, 128, 300, 300]


def test_a_clock_that_is_set_makes_nobody_wait_for_long() -> None:
    assert remaining(None) == 0
    assert remaining(time.time() - 10) == 0
    assert 9 < remaining(time.time() + 10) <= 10
    assert remaining(time.time() + 86_400) == delay(100)
