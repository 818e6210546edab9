"""Zip archives: each file in one is a document of its own."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ingest.errors import UnsupportedMedia
from ingest.parsers import SUPPORTED
from ingest.parsers.archive import Archive
from ingest.types import Source

EXTENSION = ".zip"
MEDIA_TYPES = ("application/zip", "application/x-zip-compressed")


def is_archive(source: Source) -> bool:
    """Whether a source is announced as a zip archive, and starts as one."""
    announced = source.name.lower().endswith(EXTENSION) or source.media_type in MEDIA_TYPES
    return announced and source.data.startswith(b"PK")


def unpack(source: Source) -> Iterator[Source]:
    """The documents in an archive, each under the uri of the archive and its path there.

    Files that nothing reads, and those that systems hide, are left out. Raises DamagedDocument,
    EncryptedDocument, TooLarge, and UnsupportedMedia where nothing is left.
    """
    archive = Archive(source.data, source.name, "zip")
    members = [path for path in archive.members if _is_wanted(path)]
    if not members:
        raise UnsupportedMedia(f"{source.name} holds no file of a kind that is read.")
    for path in members:
        data = archive.read(path) or b""
        yield Source(f"{source.uri}!/{path}", path, data, metadata=source.metadata)


def _is_wanted(path: str) -> bool:
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not hidden and PurePosixPath(path).suffix.lower() in SUPPORTED
