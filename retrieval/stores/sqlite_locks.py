"""Locks that other processes hold on a SQLite file, seen without taking one.

chromadb waits for such a lock for ever, and holds the GIL while it waits to write: the whole
process stands still. Asking SQLite itself would be no better: a second copy of it in this process
could wait for the first, and closing its file would end the first one's locks
(https://sqlite.org/howtocorrupt.html, 2.2.1). So the operating system is asked who holds the bytes
that SQLite locks (https://sqlite.org/lockingv3.html).
"""

import fcntl
import os
import struct
import sys
import threading
import time
from pathlib import Path

from retrieval.errors import StoreUnavailable

_PENDING = 0x40000000  # the byte of the file that who waits to write locks; RESERVED is the next
_SHARED, _SHARED_BYTES = _PENDING + 2, 510  # locked by who reads, and wholly by who writes
_PATIENCE = 5.0  # seconds that another process may hold a lock, as a copy of the file takes
_PAUSE = 0.02

# struct flock: the type, whence and the range, with the holder where the system has it.
_FLOCK = "qqihh" if sys.platform == "darwin" else "hhqqi"


class SqliteLocks:
    """The locks on one file, which may not be there yet. It stays open until `close`, which has to
    wait for all who use the file in this process: closing a file ends the process's locks on it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._opening = threading.Lock()

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def wait(self, *, writing: bool) -> None:
        """Until nobody else holds what hinders reading, or writing.

        Raises StoreUnavailable when somebody does for long.
        """
        deadline = time.monotonic() + _PATIENCE
        while (holder := self.holder(writing=writing)) is not None:
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"Process {holder} has locked {str(self._path)!r}, which is the vector store. "
                    f"Nothing is lost; work goes on as soon as that process is done or ended."
                )
            time.sleep(_PAUSE)

    def holder(self, *, writing: bool) -> int | None:
        """The process that hinders reading, or writing; None if no other does."""
        with self._opening:  # once: closing a second one would end this process's locks
            if self._file is None:
                try:
                    self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
                except FileNotFoundError:
                    return None
        if writing:
            return self._conflict(fcntl.F_WRLCK, _PENDING, _SHARED + _SHARED_BYTES - _PENDING)
        return self._conflict(fcntl.F_RDLCK, _SHARED, _SHARED_BYTES)

    def _conflict(self, kind: int, start: int, length: int) -> int | None:
        """Who holds a lock on these bytes that one of this kind would wait for."""
        assert self._file is not None  # noqa: S101 - opened before it is asked
        wanted = _packed(kind, start, length)
        kind, holder = _unpacked(fcntl.fcntl(self._file, fcntl.F_GETLK, wanted))
        return None if kind == fcntl.F_UNLCK else holder


def _packed(kind: int, start: int, length: int) -> bytes:
    if sys.platform == "darwin":
        return struct.pack(_FLOCK, start, length, 0, kind, os.SEEK_SET)
    return struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)


def _unpacked(found: bytes) -> tuple[int, int]:
    """The kind of lock and who holds it."""
    fields = struct.unpack(_FLOCK, found)
    return (fields[3], fields[2]) if sys.platform == "darwin" else (fields[0], fields[4])
