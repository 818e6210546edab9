"""Where an Ollama server is: what OLLAMA_HOST may hold."""

import re

from retrieval.errors import InvalidRequest

_HOST = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<name>\[[0-9a-fA-F:.]+\]|[^/:\[\]\s?#]*)(?::(?P<port>\d{1,5}))?"
    r"(?P<path>/[^\s?#]*)?"
)
_PORTS = {"http": 80, "https": 443, None: 11434}
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "": "127.0.0.1"}  # noqa: S104 - replaced


def base_url(host: str) -> str:
    """The URL that paths are added to, by the rules of Ollama's own clients.

    Without a scheme the port is 11434. An address to listen on everywhere becomes loopback.
    Raises InvalidRequest.
    """
    found = _HOST.fullmatch(host.strip().strip("'\""))
    if found is None or int(found["port"] or 0) > 65_535:
        raise InvalidRequest(
            f"{host!r} is no address of an Ollama server; one looks like 127.0.0.1:11434 or "
            f"https://ollama.example.com/path."
        )
    name = _ANYWHERE.get(found["name"], found["name"])
    port = found["port"] or _PORTS[found["scheme"]]
    path = re.sub(r"/{2,}", "/", found["path"] or "").rstrip("/")
    return f"{found['scheme'] or 'http'}://{name}:{port}{path}"
