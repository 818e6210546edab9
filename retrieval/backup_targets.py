"""Where backups are written to, and read from: a folder, or one tar file.

backup.json               what it is; written last, it makes the rest a backup
catalogue-<sha256>.sqlite
blobs/<two digits>/<sha256>
"""

import hashlib
import os
import re
import shutil
import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Protocol

from retrieval.errors import DataLost, InvalidRequest
from retrieval.stores.blobs import FileBlobs
from retrieval.whole_files import whole_or_none

CATALOGUE = "catalogue.sqlite"

_MANIFEST = "backup.json"
_TAR = ".tar"
_ASIDE = ".aside"
_OURS = re.compile(r"backup\.json(\.new)?|catalogue-[0-9a-f]{64}\.sqlite|blobs|\.aside")


class Target(Protocol):
    """A backup that is being written."""

    def has(self, digest: str) -> bool:
        """Whether these original bytes are in it, undamaged."""

    def put(self, data: bytes) -> None: ...

    def finish(self, catalogue: Path, digest: str, named: Collection[str], manifest: bytes) -> None:
        """Make it a backup of this catalogue, which names these originals."""


class Source(Protocol):
    """A backup that is being read."""

    def manifest(self) -> bytes: ...

    def copy_catalogue(self, digest: str, to: Path) -> None: ...

    def original(self, digest: str) -> bytes:
        """Checked against its digest. Raises DataLost where it isn't there, or damaged."""


@contextmanager
def opened(where: Path) -> Iterator[tuple[Target, Path]]:
    """The target of that name, and a folder on its file system, which may be one of its own, for
    what isn't in it yet. Raises InvalidRequest where it can't be written, or is a file that is
    there already; of a file that isn't finished nothing is left.
    """
    try:
        if where.suffix != _TAR:
            where.mkdir(mode=0o700, exist_ok=True)
            if any(not _OURS.fullmatch(found.name) for found in where.iterdir()):
                raise InvalidRequest(
                    f"{where} holds something else than a backup. Name another folder."
                )
            with _aside(where / _ASIDE) as aside:
                yield Folder(where), aside
            return
        with (
            _aside(where.with_name(f".{where.name}{_ASIDE}")) as aside,
            whole_or_none(where) as part,
            tarfile.open(part, "w") as tar,
        ):
            part.chmod(0o600)
            yield Tar(tar), aside
    except OSError as error:
        raise InvalidRequest(f"{where} can't be written: {error.strerror or error}.") from error


@contextmanager
def reading(where: Path) -> Iterator[Source]:
    """The backup there. Raises InvalidRequest where there is none."""
    try:
        if where.is_dir():
            yield Folder(where)
            return
        with _opened(where) as tar:
            yield Tar(tar)
    except (OSError, tarfile.TarError, KeyError) as error:
        raise InvalidRequest(f"{where} isn't a whole backup of Footnote's: {error}.") from error


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A folder for what isn't part of a backup yet; what a process left that died goes."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _opened(where: Path) -> tarfile.TarFile:
    """The file as an archive. Raises InvalidRequest where it is none, OSError."""
    try:
        return tarfile.open(where)
    except tarfile.ReadError as error:  # which lists all the ways that it was tried
        raise InvalidRequest(f"{where} isn't a backup of Footnote's: it is no tar file.") from error


def _settle(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Folder:
    """In a folder, which may hold an earlier backup: that one stays whole until this one is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._blobs = FileBlobs(path / "blobs")
        self._whole: set[str] = set()  # that were written or looked at

    def has(self, digest: str) -> bool:
        if digest not in self._whole:
            try:
                self._blobs.get(digest)
            except DataLost:
                return False
            self._whole.add(digest)
        return True

    def put(self, data: bytes) -> None:
        self._whole.add(self._blobs.put(data))

    def finish(self, catalogue: Path, digest: str, named: Collection[str], manifest: bytes) -> None:
        catalogue.replace(self._path / _named(digest))
        new = self._path / f"{_MANIFEST}.new"
        new.write_bytes(manifest)
        for written in (self._path / _named(digest), new, self._path):
            _settle(written)
        new.replace(self._path / _MANIFEST)
        _settle(self._path)  # only then may the earlier backup go
        for old in self._path.glob(_named("*")):
            if old.name != _named(digest):
                old.unlink()
        for stray in {*self._blobs.digests()} - {*named}:
            self._blobs.delete(stray)
        self._blobs.tidy()

    def manifest(self) -> bytes:
        return (self._path / _MANIFEST).read_bytes()

    def copy_catalogue(self, digest: str, to: Path) -> None:
        shutil.copyfile(self._path / _named(digest), to)

    def original(self, digest: str) -> bytes:
        return self._blobs.get(digest)


class Tar:
    """In one file."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._put: set[str] = set()

    def has(self, digest: str) -> bool:
        return digest in self._put

    def put(self, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        self._add(_blob(digest), data)
        self._put.add(digest)

    def finish(
        self,
        catalogue: Path,
        digest: str,
        named: Collection[str],  # noqa: ARG002 - a restore takes these, and no others
        manifest: bytes,
    ) -> None:
        self._tar.add(catalogue, _named(digest))
        self._add(_MANIFEST, manifest)

    def manifest(self) -> bytes:
        return self._read(_MANIFEST)

    def copy_catalogue(self, digest: str, to: Path) -> None:
        with self._member(_named(digest)) as file, to.open("wb") as copy:
            shutil.copyfileobj(file, copy)

    def original(self, digest: str) -> bytes:
        try:
            data = self._read(_blob(digest))
        except KeyError as error:
            raise DataLost(f"The backup lacks the original bytes {digest}.") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise DataLost(f"The original bytes {digest} in the backup are damaged.")
        return data

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        self._tar.addfile(member, BytesIO(data))

    def _read(self, name: str) -> bytes:
        with self._member(name) as file:
            return file.read()

    def _member(self, name: str) -> IO[bytes]:
        file = self._tar.extractfile(name)
        if file is None:
            raise KeyError(name)
        return file


def _named(digest: str) -> str:
    return f"catalogue-{digest}.sqlite"


def _blob(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest}"
