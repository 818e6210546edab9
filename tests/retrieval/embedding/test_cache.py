import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrieval.embedding.cache import CachedEmbedder, text_hash
from retrieval.engine import Engine
from retrieval.errors import EmbeddingFailed
from retrieval.types import Vectors
from tests.conftest import OpenEngine
from tests.ingest.workshop import SOON, CountingBackend


def cached(engine: Engine) -> CachedEmbedder:
    return CachedEmbedder(engine.embedder, engine.database, engine.claims)


class HeldBackend(CountingBackend):
    """Embeds nothing until it may go on, and then fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._failures = failures

    def vectors(self, texts: Sequence[str]) -> Vectors:
        self.begun.set()
        assert self.go_on.wait(SOON)
        if self._failures:
            self._failures -= 1
            raise ValueError("not yet")
        return super().vectors(texts)


@pytest.fixture
def backend() -> CountingBackend:
    return CountingBackend()


@pytest.fixture
def embedder(open_test_engine: OpenEngine, backend: CountingBackend) -> CachedEmbedder:
    return cached(open_test_engine(backend))


def test_nothing_is_embedded_twice(embedder: CachedEmbedder, backend: CountingBackend) -> None:
    asked = ["one", "二🙂", "one", "three"]
    told: list[int] = []
    first = embedder.embed(asked, told.append)
    assert (first.computed, sorted(backend.embedded)) == (3, ["one", "three", "二🙂"])
    assert told == sorted(told)
    assert told[-1] == 4
    again = embedder.embed([*asked, "four"])
    assert again.computed == 1
    assert np.array_equal(again.vectors[:4], first.vectors)
    assert np.array_equal(first.vectors, CountingBackend().vectors(asked))


def test_vectors_are_the_same_bits_after_a_restart(
    open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    asked = [f"text {number}" for number in range(20)]
    first = cached(open_test_engine()).embed(asked)
    again = cached(open_test_engine()).embed(asked)
    assert again.computed == 0
    assert first.vectors.tobytes() == again.vectors.tobytes()


def test_what_was_computed_before_a_failure_is_kept(
    embedder: CachedEmbedder, backend: CountingBackend
) -> None:
    asked = [f"text {number}" for number in range(400)]
    with pytest.raises(EmbeddingFailed):
        embedder.embed([*asked, "poison"])
    kept = len(embedder.lookup(map(text_hash, asked)))
    assert kept >= 256 - len("poison")
    assert embedder.embed(asked).computed == 400 - kept


def test_a_text_that_two_want_at_once_is_embedded_once(open_test_engine: OpenEngine) -> None:
    backend = HeldBackend()
    engine = open_test_engine(backend)
    with ThreadPoolExecutor() as pool:
        one = pool.submit(cached(engine).embed, ["shared", "one"])
        backend.begun.wait(SOON)
        other = pool.submit(cached(engine).embed, ["shared", "other"])
        backend.go_on.set()
    assert one.result().computed + other.result().computed == 3
    assert sorted(backend.embedded) == ["one", "other", "shared"]
    assert np.array_equal(one.result().vectors[0], other.result().vectors[0])


def test_who_waits_for_a_text_embeds_it_where_the_other_fails(
    open_test_engine: OpenEngine,
) -> None:
    backend = HeldBackend(failures=1)
    engine = open_test_engine(backend)
    with ThreadPoolExecutor() as pool:
        one = pool.submit(cached(engine).embed, ["shared"])
        backend.begun.wait(SOON)
        other = pool.submit(cached(engine).embed, ["shared"])
        backend.go_on.set()
    assert isinstance(one.exception(), EmbeddingFailed)
    assert other.result().computed == 1


def test_who_waits_for_a_text_can_give_up(
    open_test_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.embedding.cache._LOOK", 0.01)
    backend = HeldBackend()
    engine = open_test_engine(backend)
    looks: list[int] = []

    def look(done: int) -> None:
        looks.append(done)
        if len(looks) == 3:
            raise TimeoutError

    with ThreadPoolExecutor() as pool:
        one = pool.submit(cached(engine).embed, ["shared"])
        backend.begun.wait(SOON)
        with pytest.raises(TimeoutError):
            cached(engine).embed(["shared"], look)
        backend.go_on.set()
    assert one.result().computed == 1


def test_progress_counts_what_is_kept(embedder: CachedEmbedder) -> None:
    asked = [f"text {number}" for number in range(300)]

    def check(done: int) -> None:
        assert len(embedder.lookup(map(text_hash, asked))) == done
        told.append(done)

    told: list[int] = []
    embedder.embed(asked, check)
    assert (told[0], told[-1]) == (0, 300)
    assert told == sorted(set(told))


def test_what_no_chunk_has_can_be_forgotten(embedder: CachedEmbedder) -> None:
    embedder.embed(["one", "two"])
    embedder.forget(["one", "never seen"])
    assert list(embedder.lookup(map(text_hash, ["one", "two"]))) == [text_hash("two")]


def test_more_texts_than_one_statement_takes(embedder: CachedEmbedder) -> None:
    asked = [f"text {number}" for number in range(1_100)]
    assert embedder.embed(asked).computed == 1_100
    assert len(embedder.lookup(map(text_hash, asked))) == 1_100
    assert embedder.embed([]).vectors.shape == (0, 256)


def test_another_model_shares_nothing(open_test_engine: OpenEngine) -> None:
    backend = CountingBackend()
    cached(open_test_engine(backend)).embed(["one"])
    other = CountingBackend()
    other.identity = type(other.identity).from_json(other.identity.to_json() | {"dtype": "float16"})
    assert cached(open_test_engine(other)).embed(["one"]).computed == 1
