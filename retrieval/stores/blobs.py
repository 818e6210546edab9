"""Original bytes on disk, one file a digest."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from retrieval.errors import DataLost, StoreUnavailable

_ASIDE = ".part-"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """Keeps bytes as `<directory>/<first two digits>/<sha256>`; equal bytes are kept once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        try:
            if not (path.exists() and path.read_bytes() == data):  # damaged ones are mended
                _write(path, data)
        except OSError as error:
            raise StoreUnavailable(
                f"The original bytes {digest} can't be written: {error}. Make room, or choose "
                f"another directory with FOOTNOTE_DATA."
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        try:
            data = self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise DataLost(f"The original bytes {digest} are gone from the disk.") from error
        except OSError as error:
            raise StoreUnavailable(
                f"The original bytes {digest} can't be read: {error}."
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise DataLost(f"The original bytes {digest} are damaged on disk.")
        return data

    def has(self, digest: str) -> bool:
        return self._path(digest).exists()

    def delete(self, digest: str) -> None:
        try:
            self._path(digest).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(
                f"The original bytes {digest} can't be deleted: {error}."
            ) from error

    def digests(self) -> Iterator[str]:
        try:
            yield from (path.name for path in self._directory.glob("??/*") if is_digest(path.name))
        except OSError as error:
            raise StoreUnavailable(f"The original bytes can't be listed: {error}.") from error

    def close(self) -> None:
        """There is nothing to let go of."""

    def tidy(self) -> None:
        """Delete what interrupted writes left. Nothing may be writing meanwhile."""
        for aside in self._directory.glob(f"??/{_ASIDE}*"):
            aside.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._directory / checked(digest)[:2] / digest


def is_digest(name: str) -> bool:
    """Whether it is a SHA-256 in hexadecimal."""
    return _DIGEST.fullmatch(name) is not None


def checked(digest: str) -> str:
    """The digest, if it is one, and never a path that somebody made up. Raises DataLost."""
    if not is_digest(digest):
        raise DataLost(f"{digest[:80]!r} isn't the name of original bytes.")
    return digest


def _write(path: Path, data: bytes) -> None:
    """Written aside and renamed: a file under its digest is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=_ASIDE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
        _sync(path.parent)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise


def _sync(directory: Path) -> None:
    """Have the names in a directory on disk, where the system lets a directory be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
