"""Large bodies are read in a thread, so that whoever sends little isn't held up by them."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread

T = TypeVar("T")

_LARGE = 65_536  # bytes of JSON, which are read within a few milliseconds


async def aside(work: Callable[[bytes], T], body: bytes) -> T:
    """The result of work on a body."""
    if len(body) < _LARGE:
        return work(body)
    return await anyio.to_thread.run_sync(work, body)
