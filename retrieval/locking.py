"""A data directory is one process's alone, for the sake of the stores in it.

So is a catalogue in SQLite, which lies there. One in Postgres may be open in several processes,
each with a directory of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from retrieval.errors import DataDirectoryLocked, StoreUnavailable


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """The directory, made if it isn't there. Raises DataDirectoryLocked, StoreUnavailable."""
    lock = FileLock(directory / "footnote.lock", timeout=0)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise DataDirectoryLocked(str(directory)) from error
    except OSError as error:
        raise StoreUnavailable(f"The data directory can't be used: {error}.") from error
    try:
        yield
    finally:
        lock.release()
