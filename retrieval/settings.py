"""What the engine can be told. Reading the environment is the business of `api.settings`."""

from dataclasses import dataclass
from pathlib import Path

from retrieval.embedding.torch import DEFAULT_MODEL


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the data lies and what embeds it.

    `embedding_model`: a sentence-transformers name or path, or "hashing". `embedding_device`:
    "cuda", "mps", "cpu", or "" for the best there is. `chroma_url`: a Chroma server to use
    instead of the embedded one.
    """

    data: Path
    embedding_model: str = DEFAULT_MODEL
    embedding_device: str = ""
    embedding_download: bool = False
    chroma_url: str = ""
