"""The event loop of those who ask a server that they share the machine with."""

from importlib.util import find_spec
from typing import Any


def fast_loop() -> dict[str, Any]:
    """Backend options of anyio: uvloop, where it is installed."""
    return {"use_uvloop": find_spec("uvloop") is not None}
