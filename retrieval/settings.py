"""What the engine can be told. Reading the environment is the business of `api.settings`."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from retrieval.database import CONNECTIONS
from retrieval.embedding.model_cache import default_cache
from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import DEFAULT_MODEL
from retrieval.embedding.servers import ServerSettings
from retrieval.ollama.settings import OllamaSettings
from retrieval.stores.chroma_settings import ChromaSettings


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Where the data lies and what embeds it.

    `database_url`: a Postgres database that keeps the catalogue, empty for SQLite beside the data;
    `database_connections`: those that this process opens to it at most.
    `embedding_model`: a sentence-transformers name or path, "ollama:" and a model of an Ollama
    server, or "hashing". `embedding_servers`: other Footnote servers that embed with it for this
    process, none where it does so itself. `embedding_device`: "cuda", "mps", "cpu", or "" for the
    best there is. `embedding_backend`: what computes, None for the fastest by a trial;
    `embedding_calibration`: a file or folder of texts that eight-bit scales are taken from.
    `cache`: where converted models are kept, for all data directories of a user. `chroma`: a Chroma
    server to use instead of the embedded one. `blobs_url`: where original bytes are kept,
    `s3://bucket/prefix`, empty for the data directory. `vector_memory_bytes`: in which exact
    vectors are held, of as many knowledge bases as they are enough for. `chat_model`: of the Ollama
    server, empty to answer with quotes; `chat_context`: the tokens of its prompts and answers
    together. `reranker`: a cross-encoder by name or path, or the URL of one, empty for none; it
    sees `rerank_depth` candidates, and no further ones after `rerank_seconds`. `store_answers`:
    keep a record of every answer.
    """

    data: Path
    database_url: str = field(default="", repr=False, kw_only=True)  # it may hold a password
    database_connections: int = field(default=CONNECTIONS, kw_only=True)
    embedding_model: str = DEFAULT_MODEL
    embedding_servers: ServerSettings = field(default_factory=ServerSettings)
    embedding_device: str = ""
    embedding_backend: Backend | None = None
    embedding_calibration: Path | None = None
    embedding_download: bool = False
    cache: Path = field(default_factory=default_cache)
    chroma: ChromaSettings = field(default_factory=ChromaSettings)
    blobs_url: str = ""
    vector_memory_bytes: int = 2_000_000_000
    chat_model: str = ""
    chat_context: int = 8_192
    reranker: str = ""
    rerank_depth: int = 50
    rerank_seconds: float = 2.0
    store_answers: bool = False
    ollama: OllamaSettings = field(default_factory=OllamaSettings)

    def aside(self, data: Path) -> "EngineSettings":
        """The same with all data in another directory, and none on any server."""
        return replace(self, data=data, database_url="", chroma=ChromaSettings(), blobs_url="")
