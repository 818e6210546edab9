"""The embedding backend against the stand-in; what its faults come to is tested elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest

from api.standin.catalogue import default_models
from api.standin.embedding import EmbeddingModel
from api.standin.faults import Fault, Kind
from api.standin.server import create_standin, running
from api.wire.models import Model
from retrieval.embedding import ollama
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.ollama import OllamaBackend
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.errors import (
    EmbeddingFailed,
    InvalidRequest,
    ModelServerBroken,
    ModelServerUnavailable,
    ModelUnavailable,
    TextTooLong,
)
from retrieval.ollama.connection import Connection
from retrieval.ollama.retry import Retry
from retrieval.ollama.settings import OllamaSettings

Open = Callable[..., OllamaBackend]


@pytest.fixture
def plan() -> list[Fault]:
    return []


@pytest.fixture
def open_backend(plan: list[Fault]) -> Iterator[Open]:
    with ExitStack() as stack:

        def opened(model: str = "all-minilm", models: list[Model] | None = None) -> OllamaBackend:
            url = stack.enter_context(running(create_standin(models, plan=plan)))
            backend = OllamaBackend(model, OllamaSettings(url, retry=Retry(first=0.0)))
            stack.callback(backend.close)
            return backend

        yield opened


def test_what_the_model_is(open_backend: Open) -> None:
    identity = open_backend("all-minilm:latest").identity
    assert (identity.name, identity.dimension) == ("ollama:all-minilm:latest", 384)
    assert identity.window == 256  # the Modelfile's, which is less than the model's own 512
    assert len(identity.weights) == 64
    assert identity.dtype == "F16"


def test_tokens_are_counted_as_the_model_does(open_backend: Open) -> None:
    backend = open_backend()
    assert backend.exact
    texts = ["hello world", "运费险的理赔", "naïve — 🍵", ""]
    expected = SentenceModel().tokenizer
    assert backend.count_tokens(texts) == expected.count(texts)
    unread = [read.unread for read in backend.tokenize(texts)]
    assert unread == [read.unread for read in expected.tokenize(texts)]
    assert any(unread)


def test_without_a_vocabulary_they_are_bounded(open_backend: Open) -> None:
    class Mute(EmbeddingModel):
        def __init__(self) -> None:
            super().__init__("mute")
            object.__setattr__(self.card, "verbose_info", {})

    backend = open_backend("mute", [Mute()])
    assert not backend.exact
    assert backend.count_tokens(["héllo"]) == [9]


def test_a_tokenizer_that_counts_otherwise_is_not_believed(open_backend: Open) -> None:
    class Odd(EmbeddingModel):
        def _read(self, text: str, limit: int, truncate: bool) -> tuple[str, int]:
            read, count = super()._read(text, limit, truncate)
            return read, count + 1

    assert not open_backend("odd", [Odd("odd")]).exact


def test_vectors_in_their_order(open_backend: Open) -> None:
    embedder = Embedder(open_backend())
    texts = [f"text number {number} {'词' * (number % 9)}" for number in range(300)]
    vectors = embedder.embed_documents(texts)
    alone = np.stack([embedder.embed_documents([text])[0] for text in texts[::50]])
    assert np.allclose(vectors[::50], alone, atol=1e-6)
    embedder.close()


def test_a_text_that_is_too_long_fails_alone(open_backend: Open) -> None:
    backend = open_backend()
    embedder = Embedder(backend)
    with pytest.raises(TextTooLong, match="256 tokens"):
        embedder.embed_documents(["short", "word " * 300])
    with pytest.raises(TextTooLong, match="too long"):  # as the server says it
        backend.encode(backend.tokenize(["word " * 300]))
    embedder.close()


@pytest.mark.parametrize(
    ("model", "said"),
    [("nope", "not found"), ("tiny", "no embedding model"), ("", "model is required")],
)
def test_a_model_that_cannot_be_used(open_backend: Open, model: str, said: str) -> None:
    with pytest.raises(ModelUnavailable, match=said):
        open_backend(model)


def test_a_server_that_is_not_there() -> None:
    settings = OllamaSettings("127.0.0.1:1", retry=Retry(attempts=2, first=0.0))
    with pytest.raises(ModelServerUnavailable, match="OLLAMA_HOST"):
        OllamaBackend("all-minilm", settings)
    with pytest.raises(InvalidRequest):
        OllamaBackend("all-minilm", OllamaSettings("no address"))


def test_zeros_are_asked_for_again_and_never_returned_for_vectors(
    open_backend: Open, plan: list[Fault]
) -> None:
    backend = open_backend()
    plan.append(Fault(Kind.ZEROS))
    assert np.allclose(np.linalg.norm(backend.encode(backend.tokenize(["a", "b"])), axis=1), 1)
    plan.append(Fault(Kind.ZEROS, times=9))
    assert not np.linalg.norm(
        backend.encode(backend.tokenize(["a"]))
    )  # what the scheduler then refuses


def test_a_model_under_another_digest_is_another_model(
    open_backend: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    models: list[Model] = [EmbeddingModel("m", digest="a" * 64), *default_models()]
    one = open_backend("m", models)
    other = open_backend("m", [EmbeddingModel("m", digest="b" * 64)])
    assert one.identity.fingerprint != other.identity.fingerprint
    monkeypatch.setattr(ollama, "_CHECK_EVERY", 0.0)
    assert one.encode(one.tokenize(["a"])).shape == (1, 384)


@pytest.mark.parametrize("said", [[5], [["x"] * 384], [[[1.0]] * 384], [{}], 5, [[1e300] * 384]])
def test_vectors_of_another_shape_are_no_vectors(
    open_backend: Open, monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    backend = open_backend()

    async def answered(*_: object) -> dict[str, Any]:
        return {"embeddings": said}

    monkeypatch.setattr(Connection, "persist", answered)
    with pytest.raises((EmbeddingFailed, ModelServerBroken)):
        Embedder(backend).embed_documents(["a"])


@pytest.mark.parametrize("tokens", [[5], ["[CLS]"], []])
def test_a_vocabulary_that_is_none_leaves_the_bound(open_backend: Open, tokens: list[Any]) -> None:
    class Odd(EmbeddingModel):
        def __init__(self) -> None:
            super().__init__("odd")
            info = {"tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": tokens}
            object.__setattr__(self.card, "verbose_info", info)

    assert not open_backend("odd", [Odd()]).exact
