"""What goes on around each call of Chroma: no waiting for ever, and one kind of error."""

from collections.abc import Callable
from typing import Protocol, TypeVar

import httpx
from chromadb.errors import ChromaError

from retrieval.stores.failures import unavailable_if
from retrieval.stores.sqlite_locks import SqliteLocks

R = TypeVar("R")

_ADVICE = "Check that it is running and that its files can be read."

# Chroma raises ValueError where no server answers and AttributeError once it is closed.
FAILURES = (ChromaError, httpx.HTTPError, OSError, ValueError, AttributeError)


class Access(Protocol):
    """The way to a Chroma. Both raise StoreUnavailable."""

    def read(self, work: Callable[[], R]) -> R: ...

    def write(self, work: Callable[[], R]) -> R:
        """What may write."""

    def close(self) -> None: ...


class FileAccess:
    """To one that is embedded in this process: `where` says of what files."""

    def __init__(self, where: str, locks: SqliteLocks) -> None:
        self._where = where
        self._locks = locks

    def read(self, work: Callable[[], R]) -> R:
        return self._do(work, writing=False)

    def write(self, work: Callable[[], R]) -> R:
        return self._do(work, writing=True)

    def close(self) -> None:
        self._locks.close()

    def _do(self, work: Callable[[], R], *, writing: bool) -> R:
        with unavailable_if(self._where, _ADVICE, *FAILURES):
            self._locks.wait(writing=writing)
            return work()
