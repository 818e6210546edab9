import numpy as np
import pytest

from retrieval.embedding import recent
from retrieval.embedding.recent import RecentVectors
from retrieval.types import Vector


def test_the_least_recently_asked_for_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_BYTES", 2 * 4 * 8)
    kept, computed = RecentVectors(8), list[str]()

    def ask(text: str) -> bool:
        def compute() -> Vector:
            computed.append(text)
            return np.zeros(8, dtype=np.float32)

        return kept.get(text, compute)[1]

    assert [ask(text) for text in "abacab"] == [False, False, True, False, True, False]
    assert computed == ["a", "b", "c", "b"]
