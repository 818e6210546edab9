import numpy as np
import pytest

from evaluation.beir import Entry
from evaluation.embedding_bench.quality import METRIC, embedded_in_parts, judged, qualities
from evaluation.test_set import TestSet
from tests.evaluation.embedding_bench.conftest import Fake

KEYS = [f"{n}" for n in range(6)]
SET = TestSet(
    "set",
    tuple(Entry(f"d{key}", "", "text") for key in KEYS),
    {f"q{key}": "?" for key in KEYS},
    {f"q{key}": {f"d{key}": 1} for key in KEYS},
    {},
)
IDS = [f"d{key}" for key in KEYS]
AXES = np.eye(6, dtype=np.float32)


def test_exact_search_is_judged_question_by_question() -> None:
    right = judged(SET, "right", IDS, 3 * AXES, AXES)  # whatever the length of the vectors
    assert right.values[METRIC] == {f"q{key}": 1.0 for key in KEYS}
    turned = judged(SET, "turned", IDS, AXES, np.roll(AXES, 1, axis=0))
    assert turned.mean(METRIC) < 0.7
    found = qualities({"right": right, "turned": turned}, "right")
    assert found["right"].difference is None
    difference = found["turned"].difference
    assert difference
    assert difference.interval.mean == pytest.approx(turned.mean(METRIC) - 1)
    assert difference.p < 0.05


def test_without_the_first_there_are_no_differences() -> None:
    found = qualities({"turned": judged(SET, "turned", IDS, AXES, AXES)}, "gone")
    assert found["turned"].difference is None
    assert found["turned"].ndcg.mean == 1.0


def test_many_texts_are_embedded_in_parts() -> None:
    seen: list[int] = []
    fake = Fake("A")
    assert embedded_in_parts(fake, ["x"] * 600, seen.append).shape == (600, 8)
    assert seen == [256, 512, 600]
    assert fake.log == ["A part 0", "A part 256", "A part 512"]
