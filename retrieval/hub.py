"""Models of sentence-transformers, and what its libraries are told before they are imported."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from retrieval.errors import ModelUnavailable

Model = TypeVar("Model")


def prepare(*, download: bool) -> None:
    """Let them fetch nothing unless they may, and tell nobody what is loaded."""
    if not download:
        os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)


def folder_of(model: str) -> Path | None:
    """Where a model's files lie on this machine, by its name or path; None if they don't."""
    if Path(model).is_dir():
        return Path(model) if (Path(model) / "modules.json").is_file() else None
    from huggingface_hub import snapshot_download  # not wanted by a process that embeds elsewhere
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    for name in (model, f"sentence-transformers/{model}"):
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except (HFValidationError, LocalEntryNotFoundError):
            continue
    return None


def load(
    kind: Callable[..., Model], what: str, weights: str, model: str, device: str, *, download: bool
) -> Model:
    """A model of a kind of sentence-transformers', by name or path. Raises ModelUnavailable.

    `what` it is for, and which `weights` that takes, is told where it can't be loaded.
    """
    from transformers.utils import logging as transformers_logging  # heavy, and here by now

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return kind(
            model,
            device=device or None,
            local_files_only=not download,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},  # the other format is pickle
        )
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        raise ModelUnavailable(
            f"The {what} {model!r} can't be loaded ({error}). Give the path of a "
            f"{weights} with safetensors weights, or a model name together "
            f"with FOOTNOTE_EMBEDDING_DOWNLOAD=true to fetch it."
        ) from error
