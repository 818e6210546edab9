import numpy as np
import pytest

from retrieval.embedding import recent
from retrieval.embedding.recent import RecentVectors
from retrieval.types import Vector


def test_the_least_recently_asked_for_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_BYTES", 2 * (4 * 8 + 4))
    kept, computed = RecentVectors(8), list[str]()

    def ask(text: str) -> bool:
        def compute() -> Vector:
            computed.append(text)
            return np.zeros(8, dtype=np.float32)

        return kept.get(text, compute)[1]

    assert [ask(text) for text in "abacab"] == [False, False, True, False, True, False]
    assert computed == ["a", "b", "c", "b"]


def test_long_texts_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_BYTES", 10_000)
    kept = RecentVectors(8)
    vector = np.zeros(8, dtype=np.float32)
    for text in ("a", "b" * 2_000, "c" * 2_000):
        kept.get(text, vector.copy)
    assert kept.get("c" * 2_000, vector.copy)[1]
    assert not kept.get("a", vector.copy)[1]
