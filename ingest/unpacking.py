"""Zip archives: each file in one is a document of its own."""

import zipfile
from collections.abc import Iterator
from itertools import count
from pathlib import PurePosixPath

from ingest.errors import IngestError, UnsupportedMedia
from ingest.parsers import SUPPORTED
from ingest.parsers.archive import Archive
from ingest.parsers.detection import detect
from ingest.sources import printable
from ingest.types import Source

EXTENSION = ".zip"
_FLAGGED = 0x800  # the bit of a member whose name is UTF-8
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

    Files that nothing reads, and those that systems hide, are left out; those of one path are
    numbered. Raises DamagedDocument, EncryptedDocument, TooLarge, and UnsupportedMedia where
    nothing is left.
    """
    archive = Archive(source.data, source.name, "zip")
    members = [(info, path) for info in archive.members if _is_wanted(path := _path(info))]
    if not members:
        raise UnsupportedMedia(f"{source.name} holds no file of a kind that is read.")
    names = _apart(printable(path) for _, path in members)
    for (info, _), name in zip(members, names, strict=True):
        data = archive.content(info)
        yield Source(f"{source.uri}{_WITHIN}{name}", name, data, metadata=source.metadata)


def inside(uri: str) -> str | None:
    """The uri of the archive that a document is in, if it is in one."""
    archive, within, _ = uri.partition(_WITHIN)
    return archive if within else None


def _path(info: zipfile.ZipInfo) -> str:
    """The path of a member, in the encoding that it looks like where none is flagged.

    zipfile reads such a one as code page 437.
    """
    if info.flag_bits & _FLAGGED or info.filename.isascii():
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            path = info.filename.encode("cp437").decode(encoding)
        except UnicodeError:
            continue
        if encoding == "utf-8" or _is_chinese(path):
            return path
    return info.filename


def _is_chinese(path: str) -> bool:
    """Whether half of what isn't ASCII is in GB 2312, at two bytes each.

    "Müller" in code page 437 is GB18030 too, but with a character that hardly anybody writes.
    """
    foreign = "".join(character for character in path if not character.isascii())
    return len(foreign.encode("gb2312", "ignore")) >= len(foreign)


def _apart(names: Iterator[str]) -> Iterator[str]:
    """The names, with a number before the suffix of any that was there before."""
    taken: set[str] = set()
    numbers: dict[str, Iterator[int]] = {}
    for name in names:
        suffix = PurePosixPath(name).suffix
        chosen = name
        while chosen in taken:
            number = next(numbers.setdefault(name, count(2)))
            chosen = f"{name.removesuffix(suffix)} ({number}){suffix}"
        taken.add(chosen)
        yield chosen


def _is_wanted(path: str) -> bool:
    parts = PurePosixPath(path).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return not hidden and PurePosixPath(path).suffix.lower() in SUPPORTED
