"""The default model run by torch, in its own precision and in a lower one."""

import numpy as np
import pytest
import torch

from retrieval.embedding import torch as torch_backend
from retrieval.embedding.precision import Precision
from retrieval.embedding.sentence_model import DEFAULT_IDENTITY, SentenceModel
from retrieval.embedding.torch import TorchBackend
from tests.contracts.embedding_backend import TEXTS, EmbeddingBackendContract


@pytest.fixture(scope="module")
def model() -> SentenceModel:
    return SentenceModel(device="cpu")


class TestTorch(EmbeddingBackendContract):
    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, model: SentenceModel) -> TorchBackend:
        return TorchBackend(model)


class TestBfloat16(EmbeddingBackendContract):
    tolerance = 5e-3
    steady = False

    @pytest.fixture(scope="class")
    @classmethod
    def backend(cls, model: SentenceModel) -> TorchBackend:
        return TorchBackend(model, Precision.BFLOAT16)


def test_vectors_are_those_of_sentence_transformers(model: SentenceModel) -> None:
    expected = model.load().encode(TEXTS, normalize_embeddings=True)
    for precision, least in ((Precision.NATIVE, 0.999999), (Precision.BFLOAT16, 0.999)):
        backend = TorchBackend(model, precision)
        found = backend.encode(backend.tokenize(TEXTS))
        assert (found * expected).sum(axis=1).min() > least


def test_a_lower_precision_is_another_identity(model: SentenceModel) -> None:
    lossy = TorchBackend(model, Precision.BFLOAT16).identity
    assert TorchBackend(model).identity == DEFAULT_IDENTITY
    assert lossy.dtype == "bfloat16"
    assert lossy.fingerprint != DEFAULT_IDENTITY.fingerprint


def test_replicas_share_their_weights_and_leave_the_model_as_it_is(model: SentenceModel) -> None:
    loaded = model.load()
    replicas = torch_backend._replicas(loaded, 2)
    assert all(replica is not loaded for replica in replicas)
    for name, tensor in loaded.state_dict().items():
        shared = {replica.state_dict()[name].data_ptr() for replica in replicas}
        assert shared == {tensor.data_ptr()}


def test_a_model_that_wants_more_than_ids_gets_texts(
    model: SentenceModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retrieval.embedding import passes

    def wrong(*_: object) -> passes.Pass:
        return lambda texts: torch.zeros(len(texts), 384)

    backend = TorchBackend(model)
    expected = backend.encode(backend.tokenize(TEXTS))
    monkeypatch.setattr(passes, "by_ids", wrong)
    backend = TorchBackend(model)
    np.testing.assert_allclose(backend.encode(backend.tokenize(TEXTS)), expected, atol=1e-5)


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@needs_cuda
@pytest.mark.parametrize(
    ("precision", "least"),
    [(Precision.NATIVE, 0.9999), (Precision.BFLOAT16, 0.999), (Precision.FLOAT16, 0.9999)],
)
def test_on_a_gpu_vectors_are_those_of_the_processor(precision: Precision, least: float) -> None:
    here = TorchBackend(SentenceModel(device="cpu"))
    there = TorchBackend(SentenceModel(device="cuda"), precision)
    expected = here.encode(here.tokenize(TEXTS))
    found = there.encode(there.tokenize(TEXTS))
    assert (found * expected).sum(axis=1).min() > least
