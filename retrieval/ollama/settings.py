"""Which Ollama server to use, and how."""

from dataclasses import dataclass, field

from retrieval.ollama.client import OllamaClient
from retrieval.ollama.connection import Connection
from retrieval.ollama.retry import Retry

DEFAULT_HOST = "127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class OllamaSettings:
    """`host` as OLLAMA_HOST has it, empty where none is configured.

    `api_key` is for Ollama's cloud, or for a proxy that takes bearer tokens. `keep_alive` is how
    long models stay loaded; `requests` how many embedding requests are in flight.
    """

    host: str = ""
    api_key: str = field(default="", repr=False)
    keep_alive: str = "30m"
    requests: int = 2
    retry: Retry = field(default_factory=Retry)

    def client(self) -> OllamaClient:
        """A client of the server; of the usual place where none is configured."""
        return OllamaClient(Connection(self.host or DEFAULT_HOST, self.api_key, self.retry))
