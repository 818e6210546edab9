"""Who may call: the hosts and origins that an Ollama server on loopback answers."""

import ipaddress
import re
import socket

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")
_ORIGIN = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d{1,5})?"
    r"|(?:app|file|tauri|vscode-webview|vscode-file)://.*"
)
# Names that no public server can have, so that no stranger's page can be called so.
_PRIVATE = (".localhost", ".local", ".internal")


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets; empty for nonsense."""
    found = _HOST.fullmatch(header.lower())
    return (found["v6"] or found["name"]) if found else ""


def is_own_name(name: str) -> bool:
    """Whether a name is one that only this machine or its network can have, or a private number.

    A page whose own name is made to point here (DNS rebinding) comes under that name.
    """
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name in ("localhost", socket.gethostname().lower()) or name.endswith(_PRIVATE)
    return address.is_loopback or address.is_private


def known_origin(header: str) -> bool:
    """Whether an Origin is a page or an application on the reader's own machine."""
    return _ORIGIN.fullmatch(header.lower()) is not None
