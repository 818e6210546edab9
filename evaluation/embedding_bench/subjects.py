"""A model as it is measured in its own process: under the scheduler, in a raw loop, or by
sentence-transformers alone.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from evaluation.embedding_bench.backends import Budgeted, open_backend, packaged
from evaluation.embedding_bench.messages import Recipe
from evaluation.embedding_bench.targets import Kind, Target
from retrieval import hub
from retrieval.embedding.batching import batches_by_length
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.identity import Prefixes, prefixes_for
from retrieval.embedding.lanes import Lane
from retrieval.embedding.sentence_model import SentenceModel
from retrieval.embedding.torch import TorchBackend
from retrieval.engine import load_backend
from retrieval.ollama.settings import OllamaSettings
from retrieval.ports import EmbeddingBackend
from retrieval.settings import EngineSettings
from retrieval.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

LIBRARY_BATCH = 32  # texts: the default of SentenceTransformer.encode


@dataclass(frozen=True, slots=True)
class Reading:
    """How a model reads; `batch_tokens` None where batches aren't made by tokens."""

    dtype: str
    prefixes: Prefixes
    batch_tokens: int | None

    @classmethod
    def of(cls, backend: EmbeddingBackend) -> "Reading":
        one = backend.identity
        return cls(one.dtype, one.prefixes, backend.batch_tokens)


class Subject(Protocol):
    """What can be done with any of them."""

    @property
    def reads(self) -> "Reading": ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts that are given all at once."""

    def submit(self, text: str) -> "Future[Any]":
        """The vector to come of a single text."""

    def close(self) -> None: ...


class Scheduled:
    """A backend under the scheduler, as it serves and indexes; texts are taken as they are."""

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._embedder = Embedder(backend)
        self.reads = Reading.of(backend)

    def embed(self, texts: Sequence[str]) -> Vectors:
        read = self._embedder.tokenize_raw(texts)
        return self._embedder.submit(read, Lane.DOCUMENT).done.result()

    def submit(self, text: str) -> "Future[Any]":
        return self._embedder.submit(self._embedder.tokenize_raw([text]), Lane.CALL).done

    def close(self) -> None:
        self._embedder.close()


class RawLoop:
    """A backend alone: batches by token budget, sorted by length, on as many threads as it
    takes.
    """

    def __init__(self, backend: EmbeddingBackend) -> None:
        self._backend = backend
        self._threads = ThreadPoolExecutor(backend.parallel)
        self.reads = Reading.of(backend)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return embed_bare(self._backend, self._threads, texts)

    def submit(self, text: str) -> "Future[Any]":
        return self._threads.submit(lambda: self._backend.encode(self._backend.tokenize([text])))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._backend.close()


def embed_bare(
    backend: EmbeddingBackend, threads: ThreadPoolExecutor, texts: Sequence[str]
) -> Vectors:
    """The vectors of texts by a backend's own calls, as many at once as there are threads."""
    read = backend.tokenize(texts)
    batches = [*batches_by_length(read, backend.batch_tokens)][::-1]  # long ones first
    given = [[read[at] for at in batch] for batch in batches]
    found = np.empty((len(texts), backend.identity.dimension), dtype=np.float32)
    for batch, vectors in zip(batches, threads.map(backend.encode, given), strict=True):
        found[batch] = vectors
    return found


class Tokens:
    """A model's tokenizer alone, its weights not loaded where they needn't be."""

    def __init__(self, model: str, recipe: Recipe) -> None:
        backend = _tokenizing(_settings(model, recipe))
        self._embedder = Embedder(backend)
        self.window = backend.identity.window

    def count(self, text: str) -> int:
        return self._embedder.tokenize_raw([text])[0].count

    def fit(self, text: str, limit: int) -> tuple[str, int]:
        """The longest beginning of a text with at most that many tokens; and how many it has."""
        fitted = self._embedder.fit(text, limit)
        return fitted.text, fitted.count


class Library:
    """`SentenceTransformer.encode` with its defaults, in fp32; single texts one after the other."""

    def __init__(self, model: str, recipe: Recipe) -> None:
        self._model = _library_model(model, recipe)
        self._thread = ThreadPoolExecutor(1)
        prompts = {name: prompt or "" for name, prompt in self._model.prompts.items()}
        self.reads = Reading(
            dtype=str(self._model.dtype).removeprefix("torch."),
            prefixes=prefixes_for(model, prompts),
            batch_tokens=None,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = self._model.encode(
            list(texts),
            batch_size=LIBRARY_BATCH,
            prompt="",
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, dtype=np.float32)

    def submit(self, text: str) -> "Future[Any]":
        return self._thread.submit(self.embed, [text])

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)


def open_subject(target: Target, recipe: Recipe) -> Subject:
    """Raises ModelUnavailable, ConfigurationError."""
    if target.kind is Kind.LIBRARY:
        return Library(target.model, recipe)
    backend = open_backend(_settings(target.model, recipe), target.backend)
    if target.budget is not None:
        backend = Budgeted(backend, target.budget)
    return Scheduled(backend) if target.kind is Kind.SCHEDULED else RawLoop(backend)


def _tokenizing(settings: EngineSettings) -> EmbeddingBackend:
    """What reads texts as the model does, without a trial of what computes fastest."""
    name = settings.embedding_model
    if name == "hashing" or name.startswith("ollama:"):
        return load_backend(settings)
    model = SentenceModel(name, settings.embedding_device, settings.embedding_download)
    return TorchBackend(model)


def _settings(model: str, recipe: Recipe) -> EngineSettings:
    ollama = OllamaSettings(
        host=recipe.ollama_host, api_key=recipe.ollama_api_key, requests=recipe.ollama_requests
    )
    return EngineSettings(
        Path(),  # a backend stores nothing
        embedding_model=model,
        embedding_device=recipe.device,
        embedding_download=recipe.download,
        embedding_calibration=Path(recipe.calibration) if recipe.calibration else None,
        cache=Path(recipe.cache),
        ollama=ollama,
    )


def _library_model(model: str, recipe: Recipe) -> "SentenceTransformer":
    hub.prepare(download=recipe.download)
    from sentence_transformers import SentenceTransformer

    loaded = hub.load(
        SentenceTransformer,
        "embedding model",
        "sentence-transformers model",
        str(packaged(model) or model),
        recipe.device,
        download=recipe.download,
    )
    return loaded.float()
