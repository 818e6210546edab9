"""The backend that is asked for, or the fastest whose vectors are near enough, remembered."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval.embedding import choosing as module
from retrieval.embedding.choosing import Choosing, Wishes
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.model_cache import ModelCache
from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.trial import Trial
from retrieval.errors import ModelUnavailable
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vectors

Trials = dict[Backend, Trial | str]
Choose = Callable[..., EmbeddingBackend]


def trial(rate: float, cosine: float = 1.0, **rates: float) -> Trial:
    """With batches of the usual size; `_512` and such are of others, when they are tried."""
    return Trial({1_024: rate, **{int(size[1:]): r for size, r in rates.items()}}, cosine)


@pytest.fixture
def tried() -> list[Backend]:
    return []


@pytest.fixture
def choose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tried: list[Backend]
) -> Callable[[Trials, Wishes], str]:
    """The name of what is chosen where trials give these figures, or fail with these words."""

    def run(trials: Trials, wishes: Wishes = Wishes()) -> str:  # noqa: B008 - frozen
        opened: list[Backend] = []

        def backend(_self: Choosing, kind: Backend, _batch: int | None = None) -> HashingBackend:
            opened.append(kind)
            if isinstance(why := trials[kind], str):
                raise ModelUnavailable(why)
            return HashingBackend()

        def out(_made: object, _expected: Vectors, sizes: Sequence[int]) -> Trial:
            tried.append(opened[-1])
            found = trials[opened[-1]]
            assert isinstance(found, Trial)
            rates = {size: rate for size, rate in found.rates.items() if size in sizes}
            if len(sizes) > 1 and found.rates.get(512, 0) > found.rates[1_024]:
                del rates[1_024]  # too slow a batch
            return Trial(rates, found.cosine)

        monkeypatch.setattr(Choosing, "_backend", backend)
        monkeypatch.setattr(module, "try_out", out)
        monkeypatch.setattr(module, "reference", lambda _: np.zeros((1, 1), dtype=np.float32))
        Choosing(SentenceModel(device="cpu"), ModelCache(tmp_path / "cache"), wishes).open()
        return str(opened[-1])

    return run


FAST: Trials = {
    Backend.TORCH: trial(1_000),
    Backend.OPENVINO: trial(2_000),
    Backend.OPENVINO_BF16: trial(4_000, 0.9999),
    Backend.TORCH_BF16: trial(3_000, 0.9999),
    Backend.OPENVINO_INT8: trial(9_000, 0.99),
}


@pytest.mark.parametrize(
    ("changed", "chosen"),
    [
        ({}, "openvino-bf16"),
        ({Backend.OPENVINO_BF16: trial(4_000, 0.9985)}, "openvino"),  # too far off
        ({Backend.OPENVINO_BF16: trial(2_100)}, "openvino"),  # not worth another identity
        ({Backend.OPENVINO_BF16: "no bfloat16"}, "openvino"),
        ({Backend.OPENVINO: trial(2_000, 0.99)}, "openvino-bf16"),  # not the same vectors
        ({Backend.OPENVINO: trial(9_000, math.nan)}, "openvino-bf16"),
        ({Backend.OPENVINO: "no", Backend.OPENVINO_BF16: "no"}, "torch"),
        ({Backend.TORCH: trial(8_000)}, "torch"),
    ],
)
def test_the_fastest_that_is_near_enough(
    choose: Callable[..., str], changed: Trials, chosen: str
) -> None:
    assert choose({**FAST, **changed}) == chosen


def test_eight_bits_only_where_they_are_asked_for(choose: Callable[..., str]) -> None:
    assert choose(FAST, Wishes(Backend.OPENVINO_INT8)) == "openvino-int8"


def test_what_is_asked_for_is_taken_however_slow(choose: Callable[..., str]) -> None:
    assert choose(FAST, Wishes(Backend.TORCH)) == "torch"


@pytest.mark.parametrize(
    ("dtype", "chosen"),
    [("float32", "openvino"), ("bfloat16", "openvino-bf16"), ("int8-1234", "openvino-int8")],
)
def test_a_knowledge_base_keeps_the_numbers_it_was_made_with(
    choose: Callable[..., str], dtype: str, chosen: str
) -> None:
    for wanted in (None, Backend.TORCH_FP16):
        assert choose(FAST, Wishes(wanted, dtype)) == chosen


@pytest.mark.parametrize("cosine", [math.nan, 0.5])
def test_vectors_that_are_wrong_are_refused_though_asked_for(
    choose: Callable[..., str], cosine: float
) -> None:
    broken = {**FAST, Backend.OPENVINO_INT8: trial(9_000, cosine)}
    with pytest.raises(ModelUnavailable, match="vectors are wrong"):
        choose(broken, Wishes(Backend.OPENVINO_INT8))


def test_a_trial_is_made_once(choose: Callable[..., str], tried: list[Backend]) -> None:
    choose(FAST)
    assert tried
    tried.clear()
    assert choose(FAST) == "openvino-bf16"
    assert tried == []


def test_where_large_batches_are_too_slow_a_trial_is_made_once_too(
    choose: Callable[..., str], tried: list[Backend]
) -> None:
    slow = {**FAST, Backend.OPENVINO_BF16: trial(4_000, 0.9999, _512=5_000)}
    assert choose(slow) == "openvino-bf16"
    tried.clear()
    assert choose(slow) == "openvino-bf16"
    assert tried == []


def test_what_was_amiss_may_be_mended(choose: Callable[..., str]) -> None:
    broken = {**FAST, Backend.OPENVINO_INT8: "no NNCF"}
    with pytest.raises(ModelUnavailable, match="no NNCF"):
        choose(broken, Wishes(Backend.OPENVINO_INT8))
    assert choose(FAST, Wishes(Backend.OPENVINO_INT8)) == "openvino-int8"


def test_what_kept_one_of_several_from_running_is_remembered(
    choose: Callable[..., str], tried: list[Backend]
) -> None:
    choose({**FAST, Backend.OPENVINO_BF16: "no bfloat16"})
    tried.clear()
    assert choose(FAST) == "openvino"
    assert tried == []
    assert choose({**FAST, Backend.OPENVINO_BF16: "no bfloat16"}) == "openvino"


@pytest.mark.parametrize("note", ["", "{", "[]", '{"torch": 3}', '{"torch": {"rate": "x"}}'])
def test_a_note_that_cannot_be_read_is_made_anew(
    choose: Callable[..., str], tmp_path: Path, note: str
) -> None:
    choose(FAST)
    [path] = (tmp_path / "cache").glob("trial-*.json")
    path.write_text(note)
    assert choose(FAST) == "openvino-bf16"


def test_that_nothing_runs_is_told_with_reasons(choose: Callable[..., str]) -> None:
    with pytest.raises(ModelUnavailable, match=r"torch: broken too; openvino: broken"):
        choose({**dict.fromkeys(Backend, "broken"), Backend.TORCH: "broken too"})
