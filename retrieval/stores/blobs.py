"""Original bytes on disk, one file a digest."""

import hashlib
import os
import tempfile
from pathlib import Path

from retrieval.errors import StoreUnavailable


class FileBlobs:
    """Keeps bytes as `<directory>/<first two digits>/<sha256>`; equal bytes are kept once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        path = self._path(digest)
        if not path.exists():
            try:
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
        except OSError as error:
            raise StoreUnavailable(
                f"The original bytes {digest} can't be read: {error}."
            ) from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise StoreUnavailable(f"The original bytes {digest} are damaged on disk.")
        return data

    def delete(self, digest: str) -> None:
        self._path(digest).unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest


def _write(path: Path, data: bytes) -> None:
    """Written aside and renamed: a file under its digest is always whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(aside).replace(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
