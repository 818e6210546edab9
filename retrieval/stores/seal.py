"""A seal on the files of stores: whether they are as they were closed, with this catalogue."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any


class Seal:
    """What the files of some directories looked like when they were closed.

    A process that dies leaves no seal. Sizes and times are compared, not contents: a directory
    of gigabytes is checked in milliseconds. The seal carries a token that the catalogue has too,
    so a catalogue from a backup doesn't fit stores that went on.
    """

    def __init__(self, path: Path, directories: Sequence[Path]) -> None:
        self._path = path
        self._directories = directories

    def holds(self, token: str | None) -> bool:
        """Whether the files are as they were left, together with this token."""
        try:
            return bool(json.loads(self._path.read_bytes()) == self._content(token))
        except (OSError, ValueError):
            return False

    def close(self, token: str) -> None:
        """Note how the files are left. Raises OSError."""
        self._path.write_text(json.dumps(self._content(token)))

    def open(self) -> None:
        """From now on the files change."""
        self._path.unlink(missing_ok=True)

    def _content(self, token: str | None) -> dict[str, Any]:
        return {"token": token, "files": self._stamps()}

    def _stamps(self) -> dict[str, list[int]]:
        return {
            str(path.relative_to(self._path.parent)): [path.stat().st_size, path.stat().st_mtime_ns]
            for directory in self._directories
            for path in map(Path, _files(directory))
        }


def _files(directory: Path) -> list[str]:
    return [os.path.join(top, name) for top, _, names in os.walk(directory) for name in names]  # noqa: PTH118
