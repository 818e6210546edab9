"""Files that are there once they are whole, and not before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retrieval.errors import InvalidRequest


@contextmanager
def whole_or_none(path: Path) -> Iterator[Path]:
    """Where to write what is to become a new file; what a process left that died is written over.

    Raises InvalidRequest where the file is there already.
    """
    if path.exists():
        raise InvalidRequest(f"{path} is there already.")
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        yield part
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
