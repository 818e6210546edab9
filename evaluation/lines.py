"""The lines of a dataset's file, numbered for the messages about them."""

from collections.abc import Iterator
from pathlib import Path

from evaluation.errors import DatasetError


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line of a UTF-8 file without its end, and its number from 1. Raises DatasetError."""
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                yield number, _decoded(path, number, line)
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}.") from error


def _decoded(path: Path, number: int, line: bytes) -> str:
    try:
        return line.decode().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}, line {number} isn't UTF-8: {error}.") from error
