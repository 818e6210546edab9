"""Where documents come from: uploads, texts, files and folders."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from ingest.errors import SourceNotFound, TooLarge
from ingest.parsers import SUPPORTED
from ingest.types import Source
from retrieval.types import Metadata

TEXT_MEDIA_TYPE = "text/plain"

_TAKEN = SUPPORTED | {".zip"}  # whose files are documents


@dataclass(frozen=True, slots=True)
class Patterns:
    """Which files of a folder to take: globs on the path below it, or on the name alone.

    Without `include`, those of a kind that can be read. Hidden files are never taken.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def take(self, relative: Path) -> bool:
        if self.include:
            wanted = _matches(relative, self.include)
        else:
            wanted = relative.suffix.lower() in _TAKEN
        return wanted and not _matches(relative, self.exclude)


def upload(name: str, data: bytes, media_type: str | None, metadata: Metadata | None) -> Source:
    """A file that somebody sends; its name is its identity."""
    return Source(uri=name, name=name, data=data, media_type=media_type, metadata=metadata)


def text(uri: str, content: str, title: str | None, metadata: Metadata | None) -> Source:
    """A text that somebody sends, under an identity of its own."""
    return Source(
        uri=uri,
        name=uri,
        data=content.encode(),
        media_type=TEXT_MEDIA_TYPE,
        title=title,
        metadata=metadata,
    )


def read(path: Path, limit: int) -> Source:
    """A file, identified by where it lies. Raises SourceNotFound, TooLarge."""
    try:
        if path.is_dir():
            for entry in path.iterdir():  # raises what kept `find` from listing it
                entry.is_file()
            raise SourceNotFound(f"{shown(path)} can't be read: it is a folder.")
        size = path.stat().st_size
        if size > limit:
            raise TooLarge(f"{shown(path)} has {size:,} bytes; the limit is {limit:,}.")
        data = path.read_bytes()
    except OSError as error:
        raise SourceNotFound(f"{shown(path)} can't be read: {error.strerror or error}.") from error
    return Source(uri=location(path).as_uri(), name=shown(path.name), data=data)


def location(path: Path) -> Path:
    """Where a file lies: the same however one got there, but not what a link in its place is of."""
    return path.parent.resolve() / path.name


def shown(path: Path | str) -> str:
    """A path as text that can be stored and printed; what isn't Unicode in it is U+FFFD."""
    return os.fsencode(path).decode(errors="replace")


def printable(name: str) -> str:
    """A name that somebody else chose, without what would do harm in a line of text."""
    return "".join(c if c.isprintable() else "_" for c in name)


def find(paths: Sequence[Path], patterns: Patterns) -> tuple[list[Path], list[Path]]:
    """The files that these paths stand for, and those of folders that are left out.

    A file that is named is always taken; folders are walked, in a fixed order, without
    following links to other folders. What the patterns don't take is left out, and a link to a
    file outside of the folder: who may write there needn't be one who may read it. A folder that
    can't be listed stands for itself, so that `read` tells why. Raises SourceNotFound for a path
    that isn't there.
    """
    taken: dict[Path, None] = {}
    left: list[Path] = []
    for path in paths:
        if path.is_file():
            taken[path] = None
        elif path.is_dir():
            for file, listed in _walk(path):
                wanted = not listed or patterns.take(file.relative_to(path))
                if wanted and not _leads_out(file, path):
                    taken[file] = None
                else:
                    left.append(file)
        else:
            raise SourceNotFound(f"There is no file or folder {str(path)!r}.")
    return list(taken), left


def _walk(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The files below a folder, and with False the folders that can't be listed."""
    try:
        entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
        folders = {entry for entry in entries if entry.is_dir() and not entry.is_symlink()}
        files = {entry for entry in entries if entry.is_file()}
    except OSError:
        yield folder, False
        return
    for entry in entries:
        if entry in folders:
            yield from _walk(entry)
        elif entry in files:
            yield entry, True


def _leads_out(file: Path, folder: Path) -> bool:
    """Whether it is a link to somewhere that isn't in the folder."""
    return file.is_symlink() and not file.resolve().is_relative_to(folder.resolve())


def _matches(relative: Path, patterns: Sequence[str]) -> bool:
    path = relative.as_posix()
    return any(
        fnmatchcase(path, p)
        or fnmatchcase(relative.name, p)
        or fnmatchcase(path, f"{p.rstrip('/')}/*")
        for p in patterns
    )
