"""A trace is used where it gives what the model gives, and only there."""

from typing import Any

import numpy as np
import pytest
import torch

from retrieval.embedding import torch as torch_backend
from retrieval.embedding import tracing
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend

TEXTS = [f"word{n} 词 " * (n % 40 + 1) for n in range(30)] + [""]


def loaded() -> Any:
    return SentenceModel(device="cpu").load()


def vectors(model: Any) -> Any:
    return model.encode(TEXTS, show_progress_bar=False)


def test_the_default_model_is_traced_and_gives_the_same() -> None:
    model = loaded()
    before = vectors(model)
    eager = model[0].model.forward
    tracing.traced(model)
    assert model[0].model.forward != eager
    np.testing.assert_allclose(vectors(model), before, atol=1e-6)


def test_what_a_trace_would_get_wrong_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def of_one_shape(transformer: Any, example: dict[str, torch.Tensor]) -> Any:
        states = transformer.forward(**example, return_dict=True)["last_hidden_state"].detach()
        return lambda **_: {"last_hidden_state": states}

    model = loaded()
    eager = model[0].model.forward
    monkeypatch.setattr(tracing, "_trace", of_one_shape)
    tracing.traced(model)
    assert model[0].model.forward == eager


def test_what_cannot_be_traced_runs_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no")

    model = loaded()
    eager = model[0].model.forward
    monkeypatch.setattr(tracing, "_trace", broken)
    tracing.traced(model)
    assert model[0].model.forward == eager


def test_replicas_are_traced_each() -> None:
    replicas: list[Any] = list(torch_backend._replicas(loaded(), 2))
    assert len({id(one[0].model.forward) for one in replicas}) == 2
    assert all(one[0].model.forward.__module__ == tracing.__name__ for one in replicas)


def test_a_failure_to_make_replicas_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    real = torch_backend._replicas

    def failing(*_: Any) -> Any:
        monkeypatch.setattr(torch_backend, "_replicas", real)
        raise MemoryError

    monkeypatch.setattr(torch_backend, "_replicas", failing)
    backend = TorchBackend(SentenceModel(device="cpu"))
    texts = backend.tokenize(["one"])
    with pytest.raises(MemoryError):
        backend.encode(texts)
    assert backend.encode(texts).shape == (1, 384)
