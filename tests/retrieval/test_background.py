import math

import numpy as np
import pytest

from retrieval.background import Background


def unit_vectors(count: int, dimension: int = 16) -> np.ndarray:
    made = np.random.default_rng(0).normal(0.2, 1.0, (count, dimension)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def test_it_is_that_of_the_cosines_themselves() -> None:
    chunks, question = unit_vectors(500), unit_vectors(501)[-1]
    mean, deviation = Background.of([chunks[:200], chunks[200:]], 16, 500).expected(question)
    cosines = chunks @ question
    assert mean == pytest.approx(float(cosines.mean()), abs=1e-6)
    assert deviation == pytest.approx(float(cosines.std()), abs=1e-6)


def test_the_best_of_many_unrelated_ones_is_about_1() -> None:
    chance = np.random.default_rng(0)
    background = Background(np.zeros(2, np.float32), np.eye(2, dtype=np.float32) * 0.01, 10_000)
    question = np.array([1.0, 0.0], np.float32)
    best = [
        max(
            background.standardised(
                question, {str(at): 0.1 * z for at, z in enumerate(chance.normal(size=10_000))}
            ).values()
        )
        for _ in range(20)
    ]
    assert 0.8 < float(np.mean(best)) < 1.0  # the limit is approached from below


def test_a_cosine_counts_by_how_far_it_stands_out() -> None:
    narrow = Background(np.array([0.8, 0], np.float32), np.eye(2, dtype=np.float32) * 1e-4, 100)
    question = np.array([1.0, 0.0], np.float32)
    unit = 0.01 * math.sqrt(2 * math.log(100))
    found = narrow.standardised(question, {"far": 0.8, "near": 0.83})
    assert found["far"] == pytest.approx(0.0, abs=1e-6)
    assert found["near"] == pytest.approx(0.03 / unit, rel=1e-4)


def test_copies_of_one_text_have_a_background_too() -> None:
    chunks = np.repeat(unit_vectors(1), 64, axis=0)
    found = Background.of([chunks], 16, 64).standardised(chunks[0], {"a": 1.0, "b": 1.0})
    assert found["a"] == found["b"]
    assert math.isfinite(found["a"])
