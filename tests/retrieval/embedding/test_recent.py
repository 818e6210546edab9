import numpy as np
import pytest

from retrieval.embedding import recent
from retrieval.embedding.recent import RecentVectors
from retrieval.types import Vector


def test_the_least_recently_asked_for_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_BYTES", 2 * (4 * 8 + 4))
    kept, computed = RecentVectors(8), list[str]()

    def ask(text: str) -> bool:
        def compute(missing: list[str]) -> list[Vector]:
            computed.extend(missing)
            return [np.zeros(8, dtype=np.float32)]

        return bool(kept.get([text], compute)[1])

    assert [ask(text) for text in "abacab"] == [False, False, True, False, True, False]
    assert computed == ["a", "b", "c", "b"]


def test_long_texts_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_BYTES", 10_000)
    kept = RecentVectors(8)

    def known(text: str) -> int:
        return kept.get([text], lambda _: [np.zeros(8, dtype=np.float32)])[1]

    assert [known(text) for text in ("a", "b" * 2_000, "c" * 2_000)] == [0, 0, 0]
    assert known("c" * 2_000) == 1
    assert known("a") == 0


def test_only_what_is_not_known_is_computed() -> None:
    kept = RecentVectors(1)

    def compute(missing: list[str]) -> list[Vector]:
        return [np.full(1, len(text), dtype=np.float32) for text in missing]

    kept.get(["aa"], compute)
    found, known = kept.get(["b", "aa", "b", "ccc"], compute)
    assert ([vector[0] for vector in found], known) == ([1, 2, 1, 3], 2)
