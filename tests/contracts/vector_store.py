"""What every vector store must do. An adapter's tests inherit `VectorStoreContract`."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from retrieval.ports import Scored, VectorStore
from retrieval.types import Vector, Vectors

NewVectorStore: TypeAlias = Callable[[], VectorStore]

DIMENSION = 8
TOLERANCE = 1e-5


def unit_vectors(n: int, seed: int = 0, dimension: int = DIMENSION) -> Vectors:
    """`(n, dimension)` random unit vectors, the same for the same seed."""
    vectors = np.random.default_rng(seed).normal(size=(n, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def assert_same_hits(hits: list[Scored], expected: list[Scored]) -> None:
    """Equal scores, and equal ids wherever no other score is as close as the tolerance."""
    assert [hit.score for hit in hits] == pytest.approx(
        [hit.score for hit in expected], abs=TOLERANCE
    )
    for at, (hit, right) in enumerate(zip(hits, expected, strict=True)):
        near = [
            other
            for other in expected[max(at - 1, 0) : at + 2]
            if abs(other.score - right.score) < 2 * TOLERANCE
        ]
        if len(near) == 1 and at < len(expected) - 1:  # the last may tie with what was cut
            assert hit.id == right.id


class VectorStoreContract:
    """Inherit it, and give it a fixture `new_store` that makes empty stores."""

    def test_what_is_stored_can_be_looked_at(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(3)
        store.upsert(["a", "b", "c"], vectors, ["d", "d", "e"])
        store.delete(["b"])
        assert store.ids() == {"a", "c"}
        assert store.vectors([]) == {}
        found = store.vectors(["c", "b", "never"])
        assert found.keys() == {"c"}
        assert found["c"] == pytest.approx(vectors[2], abs=TOLERANCE)

    def test_an_empty_store_finds_nothing(self, new_store: NewVectorStore) -> None:
        store = new_store()
        assert store.count() == 0
        assert store.query(unit_vectors(1)[0], 10) == []

    def test_the_nearest_come_first_with_their_cosine(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(3)
        store.upsert(["a", "b", "c"], vectors, ["d", "d", "e"])
        hits = store.query(vectors[1], 3)
        assert hits[0].id == "b"
        assert {hit.id: hit.score for hit in hits} == pytest.approx(
            dict(zip("abc", (vectors @ vectors[1]).tolist(), strict=True)), abs=TOLERANCE
        )
        assert hits == sorted(hits, key=lambda hit: -hit.score)

    def test_opposite_vectors_score_minus_one(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(1)
        store.upsert(["a"], -vectors, ["d"])
        assert store.query(vectors[0], 1)[0].score == pytest.approx(-1, abs=TOLERANCE)

    def test_k_may_exceed_the_count(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(3)
        store.upsert(["a", "b", "c"], vectors, ["d"] * 3)
        assert len(store.query(vectors[0], 10_000)) == 3
        assert len(store.query(vectors[0], 2)) == 2
        assert store.query(vectors[0], 0) == []

    def test_ties_are_ordered_by_id(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(1)
        store.upsert(["c", "a", "b"], np.repeat(vectors, 3, axis=0), ["d"] * 3)
        assert [hit.id for hit in store.query(vectors[0], 3)] == ["a", "b", "c"]

    def test_an_upsert_overwrites(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(2)
        store.upsert(["a"], vectors[:1], ["d"])
        store.upsert(["a"], vectors[1:], ["d"])
        assert store.count() == 1
        assert store.query(vectors[1], 1)[0].score == pytest.approx(1, abs=TOLERANCE)

    def test_of_an_id_given_twice_the_last_counts(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(2)
        store.upsert(["a", "a"], vectors, ["d", "d"])
        assert store.count() == 1
        assert store.query(vectors[1], 1)[0].score == pytest.approx(1, abs=TOLERANCE)

    def test_what_is_deleted_is_not_found(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(3)
        store.upsert(["a", "b", "c"], vectors, ["d"] * 3)
        store.delete(["b", "never there", "b"])
        assert store.count() == 2
        assert {hit.id for hit in store.query(vectors[1], 3)} == {"a", "c"}

    def test_nothing_may_be_written_and_deleted(self, new_store: NewVectorStore) -> None:
        store = new_store()
        store.upsert([], unit_vectors(0), [])
        store.delete([])
        assert store.count() == 0

    def test_ids_may_be_in_any_script(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(2)
        store.upsert(["运费险 §1", "a'b\"c"], vectors, ["d", "文档"])
        assert store.query(vectors[0], 1)[0].id == "运费险 §1"
        store.delete(["运费险 §1"])
        assert [hit.id for hit in store.query(vectors[0], 2)] == ["a'b\"c"]

    def test_many_at_once_are_all_there(self, new_store: NewVectorStore) -> None:
        store, vectors = new_store(), unit_vectors(301)
        ids = [f"chunk-{n:03}" for n in range(301)]
        store.upsert(ids, vectors, ["d"] * 301)
        assert store.count() == 301
        assert all(store.query(vectors[n], 1)[0].id == ids[n] for n in range(0, 301, 50))
        store.delete(ids[:300])
        assert [hit.id for hit in store.query(vectors[0], 5)] == ids[300:]

    def test_lengths_must_agree(self, new_store: NewVectorStore) -> None:
        with pytest.raises(ValueError, match="shorter"):
            new_store().upsert(["a", "b"], unit_vectors(2), ["d"])

    exact = True
    """False for a graph index: after deletions it now and then misses a vector, even of thirty."""

    def test_it_agrees_with_the_definition_after_any_history(
        self, new_store: NewVectorStore
    ) -> None:
        exact = self.exact

        class History(VectorStoreHistory):
            def __init__(self) -> None:
                super().__init__(new_store(), exact)

        run_state_machine_as_test(
            History,
            settings=settings(
                max_examples=15,
                stateful_step_count=15,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )


class VectorStoreHistory(RuleBasedStateMachine):
    """Writes, overwrites and deletes in any order, compared with a dict and the definition."""

    ids = st.integers(0, 30).map("chunk-{}".format)

    def __init__(self, store: VectorStore, exact: bool) -> None:
        super().__init__()
        self.store = store
        self.exact = exact
        self.model: dict[str, Vector] = {}

    @rule(ids=st.lists(ids, max_size=40), seed=st.integers(0, 1_000))
    def upsert(self, ids: list[str], seed: int) -> None:
        vectors = unit_vectors(len(ids), seed)
        self.store.upsert(ids, vectors, ["document"] * len(ids))
        self.model |= dict(zip(ids, vectors, strict=True))

    @rule(ids=st.lists(ids, max_size=10))
    def delete(self, ids: list[str]) -> None:
        self.store.delete(ids)
        for id_ in ids:
            self.model.pop(id_, None)

    @rule(seed=st.integers(0, 1_000), k=st.integers(0, 40))
    def query(self, seed: int, k: int) -> None:
        (vector,) = unit_vectors(1, seed)
        scored = [Scored(id_, float(other @ vector)) for id_, other in self.model.items()]
        expected = sorted(scored, key=lambda hit: (-hit.score, hit.id))[:k]
        hits = self.store.query(vector, k)
        if self.exact:
            assert_same_hits(hits, expected)
            return
        true = dict(scored)
        assert [hit.score for hit in hits] == pytest.approx(
            [true[hit.id] for hit in hits], abs=TOLERANCE
        )
        assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.id))
        assert len({hit.id for hit in hits}) == len(hits) <= k
        assert len(hits) >= 0.7 * len(expected)

    @invariant()
    def counts_agree(self) -> None:
        assert self.store.count() == len(self.model)
        assert self.store.ids() == self.model.keys()
