"""The parts of a DOCX package: XML files in a zip archive, tied by relationships.

Office Open XML, ECMA-376 part 2. The strict flavour (ISO 29500) differs only in its namespaces,
which are rewritten before parsing, so readers know one set.
"""

import posixpath
from typing import Final

from ingest.errors import DamagedDocument
from ingest.parsers.archive import Archive
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


class Package:
    """Reads parts of a package within limits. Raises the errors of unreadable documents."""

    def __init__(self, file: RawFile) -> None:
        self._name = file.name
        self._archive = Archive(file.data, file.name, "DOCX")
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
        data = self._archive.read(path)
        if data is None:
            return None
        for strict, transitional in _STRICT:
            data = data.replace(strict, transitional)
        try:
            return read_xml(data)
        except (MarkupError, ValueError) as error:
            raise self._archive.damaged(error) from error

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
