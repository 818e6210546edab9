"""What is made of a model once a machine: converted weights, and what was measured of it.

Lost, it is made again. Written aside and renamed, so that there is the whole of it or nothing.
"""

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from platformdirs import user_cache_path

from retrieval.errors import ModelUnavailable

_SEAL = "sha256.json"
_LEFT = 24 * 3_600  # seconds after which nobody is still making it


def default_cache() -> Path:
    """The user's folder for what programs can make again."""
    return user_cache_path("footnote", appauthor=False)


class ModelCache:
    """A folder of folders, each sealed with the digests of its files, and of small notes."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def find(self, key: str) -> Path | None:
        """The folder of that key, if it is there as it was made."""
        path = self._root / key
        return path if _is_whole(path) else None

    def folder(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder of that key, made if it isn't there as it was made.

        Raises ModelUnavailable where it can't be written.
        """
        path = self._root / key
        if _is_whole(path):
            return path
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            self._sweep()
            with TemporaryDirectory(prefix=f".{key}-", dir=self._root) as aside:
                made = Path(aside) / "made"
                made.mkdir()
                make(made)
                _seal(made)
                if path.exists() and not _is_whole(path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                if not path.exists():  # or another process has made it meanwhile
                    made.rename(path)
        except OSError as error:
            if _is_whole(path):
                return path
            raise ModelUnavailable(
                f"The converted model can't be kept in {self._root}: {error}. "
                f"Set FOOTNOTE_CACHE to a folder that can be written."
            ) from error
        return path

    def _sweep(self) -> None:
        """Delete what processes left that were killed while they made something."""
        for path in self._root.glob(".*-*"):
            with contextlib.suppress(OSError):
                if path.is_dir() and time.time() - path.stat().st_mtime > _LEFT:
                    shutil.rmtree(path)

    def recall(self, name: str) -> dict[str, Any]:
        """What was noted under a name; nothing where that can't be read."""
        try:
            found = json.loads((self._root / f"{name}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def note(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a note, if that is possible: it spares measuring again, no more."""
        path = self._root / f"{name}.json"
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(value, indent=1), encoding="utf-8")
            aside.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                aside.unlink()


def _digests(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name != _SEAL:
            with path.open("rb") as file:
                found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _seal(folder: Path) -> None:
    (folder / _SEAL).write_text(json.dumps(_digests(folder)), encoding="utf-8")


def _is_whole(folder: Path) -> bool:
    try:
        sealed = json.loads((folder / _SEAL).read_text(encoding="utf-8"))
        return bool(sealed == _digests(folder))
    except (OSError, ValueError):
        return False
