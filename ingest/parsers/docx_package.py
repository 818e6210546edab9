"""The parts of a DOCX package: XML files in a zip archive, tied by relationships.

Office Open XML, ECMA-376 part 2. The strict flavour (ISO 29500) differs only in its namespaces,
which are rewritten before parsing, so readers know one set.
"""

import posixpath
import zipfile
import zlib
from io import BytesIO
from typing import Final

from ingest.errors import DamagedDocument, EncryptedDocument, TooLarge
from ingest.parsers.detection import RawFile
from ingest.parsers.markup import Element, MarkupError, read_xml

W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

_STRICT: Final = (
    (
        b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    (
        b"http://purl.oclc.org/ooxml/officeDocument/math",
        b"http://schemas.openxmlformats.org/officeDocument/2006/math",
    ),
)
_RELATIONSHIP: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    MarkupError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
)
_MAX_PART: Final = 128 * 2**20
_MAX_RATIO: Final = 200
"""Word's XML packs 10 to 30 times smaller; deflate reaches 1,032 on bombs."""


class Package:
    """Reads parts of a package within limits. Raises the errors of unreadable documents."""

    def __init__(self, file: RawFile) -> None:
        self._name = file.name
        try:
            self._archive = zipfile.ZipFile(BytesIO(file.data))
        except _BROKEN as error:
            raise self._damaged(error) from error
        self.main = self._target("_rels/.rels", "/officeDocument") or "word/document.xml"

    def document(self) -> Element:
        """The root of the main part, which every package has."""
        root = self.part(self.main)
        if root is None:
            raise DamagedDocument(f"{self._name} has no document part: {self.main} is missing.")
        return root

    def related(self, kind: str) -> Element | None:
        """The root of the part that the main part names as its `kind`, such as "styles"."""
        folder, leaf = posixpath.split(self.main)
        target = self._target(f"{folder}/_rels/{leaf}.rels", f"/{kind}")
        return self.part(target) if target else None

    def part(self, path: str) -> Element | None:
        """The root of the part at `path`, or None if there is none."""
        try:
            info = self._archive.getinfo(path)
        except KeyError:
            return None
        if info.flag_bits & 1:
            raise EncryptedDocument(f"{self._name} is encrypted: save it without a password.")
        if info.file_size > _MAX_PART or info.file_size > 2**20 + _MAX_RATIO * info.compress_size:
            raise TooLarge(
                f"{self._name}: {path} unpacks to {info.file_size:,} bytes from "
                f"{info.compress_size:,}, more than any document does."
            )
        try:
            data = self._archive.read(info)
            for strict, transitional in _STRICT:
                data = data.replace(strict, transitional)
            return read_xml(data)
        except _BROKEN as error:
            raise self._damaged(error) from error

    def _target(self, relations: str, kind: str) -> str | None:
        """The path of the part that a relationships part names as `kind`."""
        root = self.part(relations)
        if root is None:
            return None
        base = posixpath.dirname(posixpath.dirname(relations))
        for relation in root.iter(_RELATIONSHIP):
            if relation.get("Type", "").endswith(kind):
                return posixpath.normpath(posixpath.join("/", base, relation.get("Target", "")))[1:]
        return None

    def _damaged(self, error: Exception) -> DamagedDocument:
        return DamagedDocument(
            f"{self._name} is a damaged DOCX file ({error}): open it in a word processor, "
            "repair and save it."
        )
