"""EPUB: the chapters of a book in the order of its spine, each read as a page."""

import posixpath
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote

from ingest.errors import DamagedDocument
from ingest.parsers.archive import Archive
from ingest.parsers.blocks import Section, assemble_sections
from ingest.parsers.characters import canonical, one_line
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import declared_in, decode
from ingest.parsers.html import page_blocks
from ingest.parsers.markup import Element, MarkupError, read_html, read_xml
from ingest.types import Parsed, ParseLimits

_OPF: Final = "{http://www.idpf.org/2007/opf}"
_TITLE: Final = "{http://purl.org/dc/elements/1.1/}title"
_ROOTFILE: Final = "{urn:oasis:names:tc:opendocument:xmlns:container}rootfile"
_CHAPTERS: Final = ("application/xhtml+xml", "text/html")


def parse_epub(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text of a book, without its table of contents. Raises DamagedDocument."""
    archive = Archive(file.data, file.name, "EPUB")
    container = _xml(archive, "META-INF/container.xml", file.name)
    path = next((root.get("full-path", "") for root in container.iter(_ROOTFILE)), "")
    package = _xml(archive, path, file.name)
    chapters = enumerate(_chapters(archive, package, posixpath.dirname(path), file.name), start=1)
    text, headings, pages = assemble_sections(
        Section(f"chapter {n}", page_blocks(root)) for n, root in chapters
    )
    title = next((element for element in package.iter(_TITLE)), None)
    return Parsed(
        text,
        file.kind.value,
        title=(one_line("".join(title.itertext())) or None) if title is not None else None,
        pages=pages,
        headings=headings,
    )


def _chapters(archive: Archive, package: Element, folder: str, name: str) -> Iterator[Element]:
    items = {item.get("id", ""): item for item in package.iter(f"{_OPF}item")}
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref", ""))
        if (
            item is None
            or item.get("media-type", "") not in _CHAPTERS
            or "nav" in item.get("properties", "").split()
        ):
            continue
        path = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        data = archive.read(path)
        if data is None:
            continue
        root = read_html(canonical(decode(data, name, declared_in(data))))
        if root is not None:
            yield root


def _xml(archive: Archive, path: str, name: str) -> Element:
    data = archive.read(path)
    if data is None:
        raise DamagedDocument(f"{name} isn't a whole EPUB: {path or 'its package'} is missing.")
    try:
        return read_xml(data)
    except (MarkupError, ValueError) as error:
        raise archive.damaged(error) from error
