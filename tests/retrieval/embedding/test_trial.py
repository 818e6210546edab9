"""What a trial measures decides the size of batches."""

import numpy as np
import pytest

from retrieval.embedding import trial as module
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.trial import Trial, reference, trial_texts, try_out


@pytest.mark.parametrize("window", [16, 64, 256, 8_192])
def test_texts_fit_the_window_and_differ(window: int) -> None:
    texts = trial_texts(HashingBackend(window=window))
    assert max(text.count for text in texts) <= window
    assert len({text.text for text in texts}) > 10
    assert max(t.count for t in texts) >= 2 * min(t.count for t in texts)


def test_the_smallest_batch_that_is_nearly_as_fast() -> None:
    assert Trial({512: 80.0, 1_024: 98.0, 2_048: 100.0, 4_096: 90.0}, 1.0).batch_tokens == 1_024
    assert Trial({512: 50.0}, 1.0).batch_tokens == 512


def test_sizes_are_tried_until_they_get_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {512: 1e5, 1_024: 3e5, 2_048: 2e5, 4_096: 9e5}
    monkeypatch.setattr(module, "_rate", lambda _backend, _texts, size: rates[size])
    assert dict(try_out(HashingBackend(), None).rates) == {512: 1e5, 1_024: 3e5, 2_048: 2e5}


def test_no_batch_takes_longer_than_a_question_should_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_rate", lambda _backend, _texts, size: 5_000 + size)
    assert list(try_out(HashingBackend(), None).rates) == [512]


def test_the_lowest_cosine_is_told() -> None:
    backend = HashingBackend()
    expected = reference(backend)
    assert try_out(backend, expected, (1_024,)).cosine == pytest.approx(1.0)
    expected[3] = np.roll(expected[3], 1)
    assert try_out(backend, expected, (1_024,)).cosine < 0.9
