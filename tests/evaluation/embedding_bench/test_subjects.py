from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from evaluation.embedding_bench.backends import Budgeted
from evaluation.embedding_bench.subjects import RawLoop, Scheduled
from retrieval.embedding.hashing import HashingBackend
from retrieval.embedding.identity import Prefixes
from retrieval.embedding.tokens import TokenizedText
from retrieval.types import Vectors

TEXTS = [f"{'word ' * (n % 7)}number {n}" for n in range(40)]


class Seen(Budgeted):
    """Notes how many texts each batch has."""

    def __init__(self, batch_tokens: int) -> None:
        super().__init__(HashingBackend(), batch_tokens)
        self.batches: list[int] = []

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        self.batches.append(len(texts))
        return super().encode(texts, urgent=urgent)


@pytest.mark.parametrize("kind", [Scheduled, RawLoop])
def test_a_subject_embeds_in_batches_of_its_budget(kind: type[Scheduled | RawLoop]) -> None:
    backend = Seen(50)
    subject = kind(backend)
    try:
        alone = HashingBackend()
        expected = alone.encode(alone.tokenize(TEXTS))
        np.testing.assert_array_equal(subject.embed(TEXTS), expected)
        assert subject.reads.batch_tokens == 50
        assert sum(backend.batches) == len(TEXTS)
        assert 1 < max(backend.batches) <= 50 // 4
        assert subject.submit(TEXTS[0]).result(timeout=60) is not None
    finally:
        subject.close()


@pytest.mark.parametrize("kind", [Scheduled, RawLoop])
def test_texts_are_taken_as_they_are_whatever_prefixes_a_model_has(
    kind: type[Scheduled | RawLoop],
) -> None:
    plain, prefixed = HashingBackend(), HashingBackend()
    prefixed.identity = replace(prefixed.identity, prefixes=Prefixes("query: ", "passage: "))
    subject = kind(prefixed)
    try:
        expected = plain.encode(plain.tokenize(TEXTS))
        np.testing.assert_array_equal(subject.embed(TEXTS), expected)
    finally:
        subject.close()
