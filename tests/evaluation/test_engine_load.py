import time
from collections.abc import Sequence

from evaluation.engine_load import beside_documents, overhead
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.lanes import Lane
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

TEXTS = [f"{'word ' * (n % 9)}number {n}" for n in range(30)]


class Slow(HashingBackend):
    """A batch takes five milliseconds."""

    def __init__(self) -> None:
        super().__init__()
        self.batch_tokens = 64

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        time.sleep(0.005)
        return super().encode(texts, urgent=urgent)


def test_the_engine_is_held_against_its_backend() -> None:
    backend = Slow()
    embedder = Embedder(backend)
    found = overhead(backend, embedder, TEXTS, 1)
    embedder.close()
    assert 0.5 < found.slowdown < 2
    assert found.raw_ms >= 5 and found.engine_ms >= 5
    assert found.added_ms == found.engine_ms - found.raw_ms


def test_questions_are_timed_alone_and_beside_documents_that_all_come() -> None:
    embedder = Embedder(Slow())
    found = beside_documents(embedder, TEXTS, documents=200, rate=50, seconds=0.3)
    embedded = embedder.measured()[Lane.DOCUMENT].texts
    embedder.close()
    assert embedded == 2 * 200
    assert found.documents == 200
    assert found.idle.asked and found.loaded.asked  # few where the machine stands still
    assert found.idle.p95 >= found.idle.p50 >= 5
    assert found.batch_ms >= 5
    assert found.bound_ms == 2 * found.idle.p95 + found.batch_ms
    assert found.seconds > 0 and found.flooded > 0
