"""A seal on the files of stores: whether anything has touched them since they were closed."""

import json
import os
from collections.abc import Sequence
from pathlib import Path


class Seal:
    """What the files of some directories looked like when they were closed.

    A process that dies leaves no seal. Sizes and times are compared, not contents: a directory
    of gigabytes is checked in milliseconds.
    """

    def __init__(self, path: Path, directories: Sequence[Path]) -> None:
        self._path = path
        self._directories = directories

    def holds(self) -> bool:
        """Whether the files are as they were left."""
        try:
            return bool(json.loads(self._path.read_bytes()) == self._stamps())
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """Note how the files are left."""
        self._path.write_text(json.dumps(self._stamps()))

    def open(self) -> None:
        """From now on the files change."""
        self._path.unlink(missing_ok=True)

    def _stamps(self) -> dict[str, list[int]]:
        return {
            str(path.relative_to(self._path.parent)): [path.stat().st_size, path.stat().st_mtime_ns]
            for directory in self._directories
            for path in map(Path, _files(directory))
        }


def _files(directory: Path) -> list[str]:
    return [os.path.join(top, name) for top, _, names in os.walk(directory) for name in names]  # noqa: PTH118
