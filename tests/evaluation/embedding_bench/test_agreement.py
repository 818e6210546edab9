import numpy as np
import pytest

from evaluation.embedding_bench.agreement import agreement, is_comparable, reference_of
from evaluation.embedding_bench.targets import Target, parse_target, with_budgets
from evaluation.errors import ConfigurationError


def targets(*names: str) -> tuple[Target, ...]:
    return with_budgets([parse_target(name, "m") for name in names], [])


def test_the_reference_is_in_full_precision() -> None:
    assert reference_of(targets("auto", "raw:torch", "sentence-transformers"), "") == (
        "sentence-transformers"
    )
    assert reference_of(targets("auto", "raw:torch", "torch"), "") == "raw:torch"
    assert reference_of(targets("auto", "openvino-int8", "tei+http://h"), "") == ""
    assert reference_of(targets("auto", "torch"), "auto") == "auto"
    with pytest.raises(ConfigurationError, match="'x' isn't one of the targets: auto"):
        reference_of(targets("auto"), "x")


def test_cosines_are_the_mean_and_the_least_over_all_sets() -> None:
    same = {"s": np.eye(3, dtype=np.float32), "t": np.eye(3, dtype=np.float32)[:1]}
    tilted = {"s": same["s"].copy(), "t": 5 * np.array([[0.6, 0.8, 0.0]], dtype=np.float32)}
    found = agreement(tilted, same)
    assert found
    assert (found.mean, found.least) == pytest.approx(((3 + 0.6) / 4, 0.6))
    whole = agreement(same, same)
    assert whole
    assert (whole.mean, whole.least) == (1.0, 1.0)


def test_vectors_of_another_model_are_not_compared() -> None:
    one, other = targets("torch", "n@torch")
    server = parse_target("tei+http://h", "m")
    assert not is_comparable(one, other)
    assert is_comparable(one, server)
    assert is_comparable(server, one)
    sizes = [{"s": np.ones((2, size), dtype=np.float32)} for size in (3, 4)]
    assert agreement(sizes[0], sizes[1]) is None
    assert agreement({}, {}) is None
