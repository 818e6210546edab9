"""ODT: headings, paragraphs, lists and tables of an OpenDocument text."""

import re
from collections.abc import Iterator
from typing import Final

from ingest.errors import DamagedDocument
from ingest.parsers.archive import Archive
from ingest.parsers.blocks import Block, assemble, row
from ingest.parsers.detection import RawFile
from ingest.parsers.markup import Element, MarkupError, read_xml
from ingest.types import Parsed, ParseLimits

_OFFICE: Final = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT: Final = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE: Final = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_LEFT_OUT: Final = frozenset((f"{_TEXT}tracked-changes", f"{_OFFICE}annotation"))
_DEEPEST: Final = 10  # levels of headings
_MOST_SPACES: Final = 100
_NUMBER: Final = re.compile("[0-9]+")
_EDGE: Final = "\0"
"""Where a paragraph in another one starts or ends; no XML has this character."""


def parse_odt(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text with its headings. Raises DamagedDocument."""
    archive = Archive(file.data, file.name, "ODT")
    data = archive.read("content.xml")
    if data is None:
        raise DamagedDocument(f"{file.name} isn't a whole ODT: content.xml is missing.")
    try:
        root = read_xml(data)
    except (MarkupError, ValueError) as error:
        raise archive.damaged(error) from error
    body = root.find(f"{_OFFICE}body/{_OFFICE}text")
    text, headings = assemble(() if body is None else _blocks(body, 0))
    return Parsed(text, file.kind.value, headings=headings)


def _blocks(container: Element, depth: int) -> Iterator[Block]:
    for element in container.iterchildren():
        if element.tag == f"{_TEXT}h":
            level = _number(element.get(f"{_TEXT}outline-level"), _DEEPEST)
            yield Block(_words(element), level)
        elif element.tag == f"{_TEXT}p":
            yield Block("  " * (depth - 1) + "- " * bool(depth) + _words(element), tight=depth > 0)
        elif element.tag == f"{_TEXT}list":
            yield from _items(element, depth + 1)
        elif element.tag == f"{_TABLE}table":
            for cells in element.iter(f"{_TABLE}table-row"):
                yield row([" ".join(_words(cell).split()) for cell in cells.iterchildren()])
        elif isinstance(element.tag, str) and element.tag not in _LEFT_OUT:
            yield from _blocks(element, depth)


def _items(listed: Element, depth: int) -> Iterator[Block]:
    for item in listed.iterchildren():
        yield from _blocks(item, depth)


def _words(element: Element) -> str:
    """The text of an element on its own, with a space around each paragraph and note in it."""
    return re.sub(f" ?{_EDGE}+ ?", " ", _said(element).strip(_EDGE))


def _said(element: Element) -> str:
    """The text of an element, in which spaces, tabs and line breaks are elements too."""
    said = [element.text or ""]
    for child in element.iterchildren():
        if child.tag == f"{_TEXT}s":
            said.append(" " * _number(child.get(f"{_TEXT}c"), _MOST_SPACES))
        elif child.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            said.append("\t" if child.tag == f"{_TEXT}tab" else "\n")
        elif child.tag == f"{_TEXT}note":
            said.append(f"{_EDGE}[{_note(child)}]")
        elif child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
            said.append(f"{_EDGE}{_said(child)}{_EDGE}")
        elif isinstance(child.tag, str) and child.tag not in _LEFT_OUT:
            said.append(_said(child))
        said.append(child.tail or "")
    return "".join(said)


def _number(written: str | None, most: int) -> int:
    """A number of a file, which may be any words: 1 where it is none, and no more than `most`."""
    return min(int(written[:9]), most) if written and _NUMBER.fullmatch(written) else 1


def _note(note: Element) -> str:
    """A footnote as its mark and its text: "1: Paid monthly."."""
    parts = note.iterchildren(f"{_TEXT}note-citation", f"{_TEXT}note-body")
    return ": ".join(filter(None, (_words(part).strip() for part in parts)))
