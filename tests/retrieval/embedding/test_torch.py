"""The default model as people get it: from its package, on this machine's processor."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from retrieval.embedding import torch
from retrieval.embedding.scheduler import Embedder
from retrieval.embedding.torch import DEFAULT_IDENTITY, TorchBackend, _identity
from retrieval.errors import ModelUnavailable

TEXTS = [
    "How long is the warranty?",
    "The device is covered for twenty-four months.",
    "Zebras have stripes.",
    "运费险由谁承保？",
    "A naïve café 🙂 " + "word " * 60,
]


@pytest.fixture(scope="module")
def backend() -> TorchBackend:
    backend = TorchBackend(device="cpu")
    backend.encode(["load"])
    return backend


def test_what_is_loaded_is_what_the_identity_says(backend: TorchBackend) -> None:
    assert backend._model is not None
    assert _identity("all-MiniLM-L6-v2", backend._model) == DEFAULT_IDENTITY == backend.identity


def test_tokens_are_those_the_model_reads(backend: TorchBackend) -> None:
    assert backend._model is not None
    read = [len(backend._model.tokenizer(text)["input_ids"]) for text in TEXTS]
    assert backend.count_tokens(TEXTS) == read
    assert backend.count_tokens(["", "word " * 1_000]) == [2, 1_002]


def test_a_beginning_that_fits_is_no_shorter_than_what_the_model_would_keep(
    backend: TorchBackend,
) -> None:
    assert backend._model is not None
    text = "Immunoglobulins of dendritic cells express 12,345 antigens — 运费险由谁承保？ " * 3
    embedder = Embedder(backend)
    for limit in range(3, 70):
        kept = backend._model.tokenizer(
            text, truncation=True, max_length=limit, return_offsets_mapping=True
        )["offset_mapping"][-2][1]
        beginning, tokens = embedder.fit(text, limit)
        assert tokens <= limit
        assert text.startswith(beginning)
        assert len(beginning) >= kept


def test_vectors_are_unit_and_alike_whatever_they_are_batched_with(backend: TorchBackend) -> None:
    together = backend.encode(TEXTS)
    alone = np.concatenate([backend.encode([text]) for text in TEXTS])
    assert together.shape == (len(TEXTS), 384)
    assert together.dtype == np.float32
    assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-5)
    assert_allclose(together, alone, atol=1e-5)


def test_a_question_is_nearer_to_its_answer(backend: TorchBackend) -> None:
    question, answer, other, *_ = backend.encode(TEXTS)
    assert question @ answer > question @ other + 0.2


def test_the_model_is_the_published_one(backend: TorchBackend) -> None:
    """Other weights, another pooling or a library that computes otherwise would show here."""
    [vector] = backend.encode(["This is a test."])
    assert_allclose(vector[:4], [0.03359, 0.01051, -0.01750, 0.02935], atol=1e-4)


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "DEFAULT_WEIGHTS", "0" * 64)
    backend = TorchBackend()
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        backend.encode(["text"])


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/no/such/folder"])
def test_a_model_that_is_not_here_is_not_fetched(name: str) -> None:
    with pytest.raises(ModelUnavailable, match="FOOTNOTE_EMBEDDING_DOWNLOAD"):
        TorchBackend(name)


@pytest.mark.parametrize(
    "name", ["all-minilm", "ALL-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"]
)
def test_the_default_model_goes_by_several_names_and_costs_nothing_to_name(name: str) -> None:
    backend = TorchBackend(name)
    assert backend.identity == DEFAULT_IDENTITY
    assert backend._model is None
    assert backend.count_tokens(["two words"]) == [4]
