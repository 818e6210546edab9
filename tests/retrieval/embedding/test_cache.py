from pathlib import Path

import numpy as np
import pytest

from retrieval.embedding.cache import CachedEmbedder, text_hash
from retrieval.errors import EmbeddingFailed
from tests.conftest import OpenEngine
from tests.ingest.workshop import CountingBackend


@pytest.fixture
def backend() -> CountingBackend:
    return CountingBackend()


@pytest.fixture
def embedder(open_test_engine: OpenEngine, backend: CountingBackend) -> CachedEmbedder:
    return open_test_engine(backend).cached_embedder


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
    assert np.array_equal(first.vectors, CountingBackend().encode(asked))


def test_vectors_are_the_same_bits_after_a_restart(
    open_test_engine: OpenEngine, tmp_path: Path
) -> None:
    asked = [f"text {number}" for number in range(20)]
    first = open_test_engine().cached_embedder.embed(asked)
    again = open_test_engine().cached_embedder.embed(asked)
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
    open_test_engine(backend).cached_embedder.embed(["one"])
    other = CountingBackend()
    other.identity = type(other.identity).from_json(other.identity.to_json() | {"dtype": "float16"})
    assert open_test_engine(other).cached_embedder.embed(["one"]).computed == 1
