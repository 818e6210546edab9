"""One embedder a model, however it is asked for."""

from dataclasses import replace

from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.registry import Embedders
from retrieval.ports import EmbeddingBackend


def test_another_precision_that_is_here_already_is_not_held_twice() -> None:
    def load(_name: str, _dtype: str) -> EmbeddingBackend:
        backend = HashingBackend()
        backend.identity = replace(backend.identity, dtype="int8-b")
        return backend

    embedders = Embedders(load)
    try:
        assert embedders.default is embedders.named("hashing", "int8-a")
        assert embedders.loaded() == [embedders.default]
    finally:
        embedders.close()
