"""Settings, read from the environment: `FOOTNOTE_` and the name of the field in capitals."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    FiniteFloat,
    PlainValidator,
    SecretStr,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

import sample_docs
from api.wire.durations import keep_alive
from api.wire.refusals import Refusal
from ingest.types import ParseLimits
from retrieval.database import CONNECTIONS
from retrieval.embedding.model_cache import default_cache
from retrieval.embedding.precision import Backend
from retrieval.embedding.sentence_model import DEFAULT_MODEL
from retrieval.embedding.servers import ServerSettings
from retrieval.ollama.settings import OllamaSettings
from retrieval.settings import EngineSettings
from retrieval.stores.chroma_settings import ChromaSettings


def _backend(name: str) -> Backend | Literal["auto"]:
    try:
        return "auto" if name == "auto" else Backend(name)
    except ValueError:
        raise ValueError(f"expected one of auto, {', '.join(Backend)}") from None


def _duration(text: str) -> str:
    try:
        keep_alive(text)
    except Refusal as refusal:
        raise ValueError(f"{refusal.text}; expected one as 30m, 24h or -1s") from None
    return text


def _urls(text: str) -> str:
    for url in _parted(text):
        if not url.startswith(("http://", "https://")):
            raise ValueError("expected URLs like http://gpu1:7373, with commas")  # may hold a key
    return text


def _parted(text: str) -> tuple[str, ...]:
    """What stands between commas, each once."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def _named(given: object) -> object:
    if given == "":
        raise ValueError("it is empty; expected a directory")
    return given


class Settings(BaseSettings):
    """Every setting with its default; the README has the same table."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTNOTE_", extra="ignore", hide_input_in_errors=True
    )

    data: Annotated[Path, BeforeValidator(_named)] = Field(
        Path("footnote-data"), description="Where everything is stored"
    )
    database_url: SecretStr = Field(
        SecretStr(""), description="A Postgres database for the catalogue; empty: SQLite"
    )
    database_connections: int = Field(
        CONNECTIONS, ge=4, description="Connections that this process opens to it at most"
    )
    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told")
    port: int = Field(7373, ge=0, le=65535, description="Port to listen on")
    allowed_hosts: str = Field(
        "", description="Names, with commas, that loopback may be called besides localhost"
    )
    allow_anonymous: bool = Field(
        False, description="While there is no key, let in whoever reaches another address, too"
    )
    embedding_model: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        description="sentence-transformers name or path, `ollama:` and a name, or `hashing`",
    )
    embedding_url: Annotated[str, AfterValidator(_urls)] = Field(
        "", description="Footnote servers that embed with it, with commas; empty: this process"
    )
    embedding_api_key: SecretStr = Field(
        SecretStr(""), description="A key of those servers, for the scope `read`"
    )
    embedding_device: str = Field(
        "",
        pattern=r"^(cpu|(cuda|mps|xpu)(:\d+)?)?$",
        description="`cuda`, `mps` or `cpu`; empty: the best found",
    )
    embedding_download: bool = Field(
        False, description="Allow fetching a model that isn't on this machine"
    )
    embedding_backend: Annotated[Backend | Literal["auto"], PlainValidator(_backend)] = Field(
        "auto", description="What computes: `torch`, `openvino`, ...; `auto`: the fastest here"
    )
    embedding_calibration: Path | None = Field(
        None, description="A text file, or a folder of them, that `openvino-int8` is calibrated on"
    )
    cache: Path = Field(
        default_factory=default_cache, description="Where converted models are kept"
    )
    chroma_url: str = Field("", description="A Chroma server; empty: embedded in this process")
    chroma_tenant: str = Field("default_tenant", description="The tenant there that is used")
    chroma_database: str = Field(
        "default_database", description="The database of it that is used, by one installation"
    )
    chroma_token: SecretStr = Field(
        SecretStr(""), description="The token that is sent there, or to a proxy before it"
    )
    blobs_url: str = Field(
        "", description="Where original bytes are kept, `s3://bucket/prefix`; empty: with the data"
    )
    vector_memory_bytes: int = Field(
        2_000_000_000, ge=0, description="Memory for vectors, by which searches are faster"
    )
    ollama_host: str = Field(
        "",
        validation_alias=AliasChoices("FOOTNOTE_OLLAMA_HOST", "OLLAMA_HOST", "ollama_host"),
        description="An Ollama server, `host:port` or a URL; empty: none",
    )
    ollama_api_key: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(
            "FOOTNOTE_OLLAMA_API_KEY", "OLLAMA_API_KEY", "ollama_api_key"
        ),
        description="The key of Ollama's cloud, or of a proxy before it",
    )
    ollama_keep_alive: Annotated[str, AfterValidator(_duration)] = Field(
        "30m", description="How long its models stay loaded, as `30m`; negative: for good"
    )
    ollama_requests: int = Field(
        2, ge=1, le=32, description="Embedding requests that are in flight there"
    )
    chat_model: str = Field(
        "", description="The chat model there that answers; empty: answers are quotes"
    )
    chat_context: int = Field(
        8_192, ge=2_048, description="Tokens of its prompt and answer together"
    )
    reranker: str = Field(
        "", description="Cross-encoder by name or path, or the URL of one (`/rerank`); empty: none"
    )
    rerank_depth: int = Field(50, ge=1, le=1_000, description="Candidates that it sees")
    rerank_seconds: FiniteFloat = Field(
        2.0, gt=0, description="After which it sees no further ones"
    )
    store_answers: bool = Field(
        False, description="Keep every answer with what decided it, to replay it"
    )
    max_upload_bytes: int = Field(
        256 * 1024 * 1024, ge=1, description="Largest upload of files, and largest file"
    )
    max_request_bytes: int = Field(
        16 * 1024 * 1024, ge=1, description="Largest body of JSON; of a question at most 4 MiB"
    )
    max_pages: int = Field(5_000, ge=1, description="Most pages of one document")
    max_characters: int = Field(50_000_000, ge=1, description="Most characters of one document")
    parse_seconds: FiniteFloat = Field(300.0, gt=0, description="Longest time to read one file")
    fetch_urls: bool = Field(False, description="Let documents be fetched from public URLs")
    sync: str = Field("", description="Folders mirrored while it runs: `KB=FOLDER`, with commas")
    ingest_workers: int = Field(
        8, ge=0, le=64, description="Documents ingested side by side; 0: others ingest"
    )
    ingest_total: int = Field(
        0, ge=0, description="The same, of all processes on one Postgres database; 0: any number"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="`debug`, `info`, `warning` or `error`"
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="`console`, `json` (a line an event), or what suits a terminal or none"
    )

    @classmethod
    def unknown(cls, environment: Iterable[str]) -> list[str]:
        """Variables that look like settings and are none, each with the one that it is like."""
        prefix = cls.model_config["env_prefix"]
        known = [f"{prefix}{name.upper()}" for name in cls.model_fields]
        strange = sorted({one for one in environment if one.startswith(prefix)} - {*known})
        alike = [get_close_matches(one, known, 1, 0.85) for one in strange]
        return [
            f"{one} (like {like[0]})" if like else one
            for one, like in zip(strange, alike, strict=True)
        ]

    @property
    def shares_catalogue(self) -> bool:
        """Whether other processes may have the same catalogue."""
        url = self.database_url.get_secret_value().strip()
        return bool(url) and not url.startswith("sqlite")

    def engine(self) -> EngineSettings:
        return EngineSettings(
            data=self.data,
            database_url=self.database_url.get_secret_value(),
            database_connections=self.database_connections,
            embedding_model=self.embedding_model,
            embedding_servers=ServerSettings(
                _parted(self.embedding_url), self.embedding_api_key.get_secret_value()
            ),
            embedding_device=self.embedding_device,
            embedding_download=self.embedding_download,
            embedding_backend=None if self.embedding_backend == "auto" else self.embedding_backend,
            embedding_calibration=self.embedding_calibration or sample_docs.FOLDER,
            cache=self.cache,
            chroma=ChromaSettings(
                url=self.chroma_url,
                tenant=self.chroma_tenant,
                database=self.chroma_database,
                token=self.chroma_token.get_secret_value(),
            ),
            blobs_url=self.blobs_url,
            vector_memory_bytes=self.vector_memory_bytes,
            chat_model=self.chat_model,
            chat_context=self.chat_context,
            reranker=self.reranker,
            rerank_depth=self.rerank_depth,
            rerank_seconds=self.rerank_seconds,
            store_answers=self.store_answers,
            ollama=OllamaSettings(
                host=self.ollama_host,
                api_key=self.ollama_api_key.get_secret_value(),
                keep_alive=self.ollama_keep_alive,
                requests=self.ollama_requests,
            ),
        )

    def parse_limits(self) -> ParseLimits:
        return ParseLimits(self.max_pages, self.max_characters, self.parse_seconds)
