"""Stores that are looked at only in part when an engine opens, as there are too many vectors."""

from collections.abc import Callable

import numpy as np
import pytest

from retrieval import consistency
from retrieval.consistency import Consistency
from retrieval.ports import VectorStore
from tests.retrieval.library import Library

Harm = Callable[[VectorStore, list[str]], None]


@pytest.fixture
def filled(library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    for n in range(6):
        library.add(f"uri-{n}", f"Tea is at {n}.")
    monkeypatch.setattr(consistency, "_FEW", 5)
    return library


def missing(store: VectorStore, ids: list[str]) -> None:
    store.delete(ids[:1])


def too_many(store: VectorStore, ids: list[str]) -> None:
    store.upsert(["x"], next(iter(store.vectors(ids[:1]).values()))[np.newaxis], ["d"])


def others(store: VectorStore, ids: list[str]) -> None:
    missing(store, ids)
    too_many(store, ids[1:])


@pytest.mark.parametrize("harm", [missing, too_many, others])
def test_what_is_not_as_it_should_be_is_noticed_and_mended(filled: Library, harm: Harm) -> None:
    store = filled.engine.stores.vectors(filled.kb.generation.id)
    right = store.ids()
    harm(store, sorted(right))
    Consistency(filled.engine.database, filled.engine.stores).restore(sampling=True)
    assert store.ids() == right


def test_many_that_look_right_are_not_all_named(
    filled: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, asked = filled.engine.stores.vectors(filled.kb.generation.id), list[set[str]]()
    ids = store.ids

    def naming() -> set[str]:
        asked.append(ids())
        return asked[-1]

    monkeypatch.setattr(store, "ids", naming)
    compared = Consistency(filled.engine.database, filled.engine.stores)
    compared.restore(sampling=True)
    assert asked == []
    monkeypatch.setattr(consistency, "_FEW", 6)
    compared.restore(sampling=True)
    assert [len(named) for named in asked] == [6]
