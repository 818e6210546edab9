"""What kind of file bytes are: told by their content first, then by name and declared type."""

import re
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final

from ingest.errors import DamagedDocument, EncryptedDocument, UnsupportedMedia
from ingest.parsers.archive import BROKEN, PACKINGS, open_zip


class Kind(StrEnum):
    """The kinds of file that are read, by their media type."""

    PLAIN = "text/plain"
    MARKDOWN = "text/markdown"
    HTML = "text/html"
    PDF = "application/pdf"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    XLS = "application/vnd.ms-excel"
    ODT = "application/vnd.oasis.opendocument.text"
    EPUB = "application/epub+zip"
    CSV = "text/csv"
    JSON = "application/json"
    EML = "message/rfc822"
    MSG = "application/vnd.ms-outlook"
    CODE = "text/x-source"
    IMAGE = "image/*"


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file to parse: its bytes, the name for messages, its kind and its declared charset."""

    data: bytes
    name: str
    kind: Kind
    charset: str | None = None
    warnings: tuple[str, ...] = ()


BY_EXTENSION: Final = {
    ".txt": Kind.PLAIN,
    ".text": Kind.PLAIN,
    ".log": Kind.PLAIN,
    ".rst": Kind.PLAIN,
    ".md": Kind.MARKDOWN,
    ".markdown": Kind.MARKDOWN,
    ".html": Kind.HTML,
    ".htm": Kind.HTML,
    ".xhtml": Kind.HTML,
    ".pdf": Kind.PDF,
    ".docx": Kind.DOCX,
    ".pptx": Kind.PPTX,
    ".xlsx": Kind.XLSX,
    ".xlsm": Kind.XLSX,
    ".xls": Kind.XLS,
    ".odt": Kind.ODT,
    ".epub": Kind.EPUB,
    ".csv": Kind.CSV,
    ".tsv": Kind.CSV,
    ".json": Kind.JSON,
    ".jsonl": Kind.JSON,
    ".ndjson": Kind.JSON,
    ".eml": Kind.EML,
    ".msg": Kind.MSG,
    **dict.fromkeys(
        (
            f".{extension}"
            for extension in "bash bat c cc cfg clj cpp cs css cxx dart ex go gradle groovy h hpp "
            "hs ini java js jsx kt lua m mjs php pl ps1 py pyi r rb rs scala scss sh sql swift tf "
            "toml ts tsx vb vue xml yaml yml zig".split()
        ),
        Kind.CODE,
    ),
}
_BY_MEDIA_TYPE: Final = {
    **{kind.value: kind for kind in Kind},
    "application/xhtml+xml": Kind.HTML,
    "text/x-markdown": Kind.MARKDOWN,
    "text/x-rst": Kind.PLAIN,
    "text/tab-separated-values": Kind.CSV,
    "application/jsonl": Kind.JSON,
    "application/x-ndjson": Kind.JSON,
    "application/vnd.ms-excel.sheet.macroenabled.12": Kind.XLSX,
}
_TEXT: Final = (*(Kind.PLAIN, Kind.MARKDOWN, Kind.HTML, Kind.CSV, Kind.JSON, Kind.EML, Kind.CODE),)
_ZIPPED: Final = (Kind.DOCX, Kind.PPTX, Kind.XLSX, Kind.ODT, Kind.EPUB)

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_KINDS: Final = (("Workbook", Kind.XLS), ("Book", Kind.XLS), ("__substg1.0_", Kind.MSG))
_OLE_STREAMS: Final = (
    ("WordDocument", "an old Word file (.doc): save it as DOCX"),
    ("PowerPoint Document", "an old PowerPoint file (.ppt): save it as PPTX"),
)
_ZIP_FOLDERS: Final = (("word/", Kind.DOCX), ("ppt/", Kind.PPTX), ("xl/", Kind.XLSX))
_FOREIGN: Final = (
    (b"{\\rtf", "an RTF file: save it as DOCX"),
    (b"%!PS", "a PostScript file: save it as PDF"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\0", "a database"),
)
_IMAGES: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
# What was matched is never tried in another way, as a comment that spans others would be.
_HTML_START: Final = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?+(?><!--.*?-->\s*+)*+<(!doctype\s+html|html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


def detect(data: bytes, name: str, media_type: str | None = None) -> RawFile:
    """The file with its kind.

    A warning is set where the content contradicts the name. Raises UnsupportedMedia for a kind
    that nothing reads, EncryptedDocument for an encrypted office file, DamagedDocument for a
    broken archive that is named as one, and TooLarge for an archive of too many members.
    """
    declared = _declared(name, media_type)
    found = _by_content(data, name, declared)
    kind = found or declared
    if kind is None or (found is None and declared not in _TEXT):
        kind = _fallback(data, name, declared)
    warnings: tuple[str, ...] = ()
    if declared not in (None, Kind.CODE, kind):
        warnings = (f"{name} is {kind.value} by its content, and was read as such.",)
    charset = _CHARSET.search(media_type or "")
    return RawFile(data, name, kind, charset and charset[1], warnings)


def _declared(name: str, media_type: str | None) -> Kind | None:
    """The kind that the extension, or else the media type, announces."""
    by_name = BY_EXTENSION.get(PurePosixPath(name).suffix.lower())
    by_type = _BY_MEDIA_TYPE.get((media_type or "").partition(";")[0].strip().lower())
    if by_name is Kind.CODE and by_type:  # a page that a program made: its name is the program's
        return by_type
    return by_name or by_type


def _by_content(data: bytes, name: str, declared: Kind | None) -> Kind | None:
    """The kind that the first bytes prove, or None for what looks like text or nothing known."""
    head = data[:1024].lstrip(b"\xef\xbb\xbf\0\t\n\f\r ")
    if head.startswith(b"%PDF-"):
        return Kind.PDF
    if data.startswith(b"PK\x03\x04"):
        return _archive(data, name, declared)
    if data.startswith(_OLE):
        return _compound(data, name)
    if data.startswith(_IMAGES) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return Kind.IMAGE
    for magic, advice in _FOREIGN:
        if data.startswith(magic):
            raise UnsupportedMedia(f"{name} is {advice}.")
    return Kind.HTML if _HTML_START.match(head) else None


def _fallback(data: bytes, name: str, declared: Kind | None) -> Kind:
    """The kind of content that proves nothing under a name that promises a PDF, DOCX or nothing."""
    if declared is Kind.PDF and (b"%PDF-" in data[:1024] or b"\0" in data[:1024]):
        return Kind.PDF
    suffix = PurePosixPath(name).suffix
    if declared is None and suffix:
        raise UnsupportedMedia(
            f"{name}: {suffix} files aren't read. Supported: {', '.join(sorted(BY_EXTENSION))}."
        )
    return Kind.PLAIN


def _archive(data: bytes, name: str, declared: Kind | None) -> Kind:
    """The kind of document that a zip archive holds."""
    try:
        with open_zip(data, name) as archive:
            members = archive.namelist()
            announced = _announced(archive) if "mimetype" in members else b""
    except BROKEN as error:
        if declared in _ZIPPED or b"word/" in data:
            kind = (declared or Kind.DOCX).name
            raise DamagedDocument(
                f"{name} isn't a complete {kind} file ({error}): open it in the program that "
                "made it, repair and save it."
            ) from error
        raise UnsupportedMedia(f"{name} is a damaged zip archive ({error}).") from error
    for kind in (Kind.EPUB, Kind.ODT):
        if announced.strip() == kind.value.encode():
            return kind
    for folder, kind in _ZIP_FOLDERS:
        if any(member.startswith(folder) for member in members):
            return kind
    if "META-INF/container.xml" in members:
        return Kind.EPUB
    raise UnsupportedMedia(f"{name} is a zip archive in a document: add the files in it.")


def _announced(archive: zipfile.ZipFile) -> bytes:
    """The start of the member that names the kind: whatever it unpacks to, no more is read."""
    info = archive.getinfo("mimetype")
    if info.compress_type not in PACKINGS:
        return b""
    with archive.open(info) as member:
        return member.read(100)


def _compound(data: bytes, name: str) -> Kind:
    """The kind of an OLE compound file: an old workbook or a message of Outlook."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise EncryptedDocument(
            f"{name} is encrypted: open it with its password and save it without one."
        )
    for stream, advice in _OLE_STREAMS:
        if stream.encode("utf-16-le") in data:
            raise UnsupportedMedia(f"{name} is {advice}.")
    for stream, kind in _OLE_KINDS:
        if stream.encode("utf-16-le") in data:
            return kind
    raise UnsupportedMedia(f"{name} is an old Microsoft Office file: save it as DOCX or PDF.")
