"""Zip archives: each file in one is a document of its own."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from ingest.errors import IngestError, UnsupportedMedia
from ingest.parsers import SUPPORTED
from ingest.parsers.archive import Archive
from ingest.parsers.detection import detect
from ingest.sources import printable
from ingest.types import Source

EXTENSION = ".zip"
_WITHIN = "!/"  # between the uri of an archive and the path in it, as in the jar scheme
MEDIA_TYPES = ("application/zip", "application/x-zip-compressed")


def is_archive(source: Source) -> bool:
    """Whether a source is announced as a zip archive, and starts as one."""
    suffix = PurePosixPath(source.name).suffix.lower()
    announced = suffix == EXTENSION or (
        source.media_type in MEDIA_TYPES and suffix not in SUPPORTED
    )
    return announced and source.data.startswith(b"PK") and not _is_document(source)


def _is_document(source: Source) -> bool:
    """Whether it is a document that is packed as an archive is, under whatever name."""
    try:
        detect(source.data, source.name)
    except IngestError:
        return False
    return True


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
        name = printable(path)
        yield Source(f"{source.uri}{_WITHIN}{name}", name, data, metadata=source.metadata)


def inside(uri: str) -> str | None:
    """The uri of the archive that a document is in, if it is in one."""
    archive, within, _ = uri.partition(_WITHIN)
    return archive if within else None


def _is_wanted(path: str) -> bool:
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not hidden and PurePosixPath(path).suffix.lower() in SUPPORTED
