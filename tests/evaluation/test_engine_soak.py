from collections.abc import Sequence

import numpy as np
import pytest

from evaluation.engine_soak import POISON, Poisonous, Soaked, soak
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.requests import Request
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

TEXTS = [f"{'word ' * (n % 9)}number {n}" for n in range(30)]
EXPECTED = HashingBackend().vectors(TEXTS)


def run(backend: HashingBackend) -> Soaked:
    return soak(backend, TEXTS, EXPECTED, 0.9999, seconds=1.0)


def test_a_sound_engine_bears_it() -> None:
    found = run(HashingBackend())
    assert found.sound
    assert found.outcomes.keys() >= {"right", "poisoned"}
    assert found.outcomes.keys() & {"cancelled", "done before"}  # by which of both was faster
    assert found.lowest_cosine == pytest.approx(1.0)
    assert found.memory_end > 0


def test_a_wrong_vector_is_found() -> None:
    class Wrong(HashingBackend):
        def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
            vectors = super().encode(texts, urgent=urgent)
            return np.roll(vectors, 1, axis=0) if len(texts) > 1 else vectors

    found = run(Wrong())
    assert not found.sound
    assert found.outcomes["wrong"] > 0


def test_a_row_that_comes_twice_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    once = Request.deliver

    def twice(self: Request, rows: Sequence[int], vectors: Vectors) -> None:
        if self._on_rows:
            self._on_rows(self, rows)
        once(self, rows, vectors)

    monkeypatch.setattr(Request, "deliver", twice)
    found = run(HashingBackend())
    assert found.twice > 0
    assert not found.sound


def test_poison_fails_the_batch_that_it_is_in() -> None:
    backend = Poisonous(HashingBackend())
    assert backend.encode(backend.tokenize(["sound"])).shape == (1, 256)
    with pytest.raises(ValueError, match="poison"):
        backend.encode(backend.tokenize(["sound", POISON]))
