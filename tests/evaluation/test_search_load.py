"""The measure of searches measures."""

import os
from pathlib import Path

import numpy as np
import pytest

from evaluation.resources import one_core
from evaluation.search_load import SHARES, Stock, search_loads
from retrieval.settings import EngineSettings

TEXTS = [
    f"The harbour of number {n} was dredged in {1900 + n}, said pilot {n * 7}." for n in range(30)
]


def test_chunks_are_made_of_halves_and_all_differ() -> None:
    stock = Stock(TEXTS, np.eye(30, dtype=np.float32))
    made = [stock.chunk(number) for number in range(stock.most)]
    assert len({text for text, _, _ in made}) == stock.most == 30 * 29
    assert all(first != second for _, first, second in made)
    assert made[0][0].startswith("The harbour of number 0 was")
    assert made[0][0].endswith("pilot 7.")


def test_a_small_load(tmp_path: Path) -> None:
    seen: list[int] = []
    settings = EngineSettings(tmp_path, "hashing")
    questions = ["Which harbour was dredged in 1907?", "pilot 14"]
    loads = list(search_loads(settings, TEXTS, questions, [300, 100], seen.append))
    assert [load.chunks for load in loads] == [100, 300]
    assert seen[-1] == 300
    for load in loads:
        assert list(load.searches) == ["all", *(f"1 of {share}" for share in SHARES)]
        assert all(0 < times.p50 <= times.p95 for times in load.searches.values())
        assert load.recall > 0.9
        assert load.memory > 50
        assert load.disk > 0.1


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinity")
def test_one_core_is_given_back() -> None:
    before = os.sched_getaffinity(0)
    with one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
