"""Where a server is that speaks Ollama's API: what OLLAMA_HOST may hold, and other settings."""

import re
from dataclasses import dataclass

from retrieval.bare_urls import check_bare
from retrieval.errors import InvalidRequest

_HOST = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<name>\[[0-9a-fA-F:.]+\]|[^/:\[\]\s?#]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^\s?#]*)?"
)
_PORTS = {"http": 80, "https": 443, None: 11434}
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104 - replaced


@dataclass(frozen=True, slots=True)
class Kind:
    """What errors call a server, the setting that says where it is, the one for its key, and how an
    address of one looks.
    """

    name: str
    setting: str
    key: str
    example: str


OLLAMA = Kind(
    name="Ollama server",
    setting="OLLAMA_HOST",
    key="OLLAMA_API_KEY",
    example="127.0.0.1:11434 or https://ollama.example.com/path",
)


def base_url(host: str, kind: Kind = OLLAMA) -> str:
    """The URL that paths are added to, by the rules of Ollama's own clients.

    Without a scheme the port is 11434. An address to listen on everywhere becomes loopback.
    Raises InvalidRequest.
    """
    check_bare(host, kind.setting, kind.key)
    found = _HOST.fullmatch(host.strip().strip("'\""))
    if found is None or int(found["port"] or 0) > 65_535:
        raise InvalidRequest(
            f"{kind.setting} is {host!r}, which is no address of an {kind.name}; one looks like "
            f"{kind.example}."
        )
    name = _ANYWHERE.get(found["name"], found["name"])
    port = found["port"] or _PORTS[found["scheme"]]
    path = re.sub(r"/{2,}", "/", found["path"] or "").rstrip("/")
    return f"{found['scheme'] or 'http'}://{name}:{port}{path}"
