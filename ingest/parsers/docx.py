"""DOCX: paragraphs, lists, tables, text boxes and notes, in the order of the document.

Read from its XML directly. What was deleted or moved away under change tracking is left out,
what was inserted is text; so are equations. Headers and footers are left out, and so are pages,
which exist only once a word processor has laid the document out.
"""

from collections.abc import Iterator
from typing import Final

from ingest.parsers.blocks import Block, assemble, row
from ingest.parsers.detection import RawFile
from ingest.parsers.docx_numbering import Numberer
from ingest.parsers.docx_package import Package, W
from ingest.parsers.docx_runs import hidden_runs, paragraph_text, text_boxes
from ingest.parsers.docx_styles import paragraph_style, read_styles
from ingest.parsers.hidden import told
from ingest.parsers.markup import Element
from ingest.types import Parsed, ParseLimits

_TITLE: Final = "{http://purl.org/dc/elements/1.1/}title"
_WRAPPERS: Final = frozenset(
    W + tag for tag in ("sdt", "sdtContent", "customXml", "ins", "moveTo", "smartTag")
)
_SEPARATORS: Final = ("separator", "continuationSeparator")


def parse_docx(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text of a DOCX file with its headings; footnotes follow at the end as "[1] ...".

    Raises DamagedDocument, EncryptedDocument, and TooLarge for a part that unpacks to more than
    a document can be.
    """
    package = Package(file)
    reader = _Reader(package)
    text, headings = assemble(reader.blocks())
    return Parsed(
        text,
        file.kind.value,
        title=_core_title(package) or reader.title,
        headings=headings,
        warnings=told(hidden_runs(package.document())),
    )


def _core_title(package: Package) -> str | None:
    root = package.part("docProps/core.xml")
    element = None if root is None else next(root.iter(_TITLE), None)
    return (element.text or "").strip() or None if element is not None else None


class _Reader:
    """Reads the blocks of one package; remembers the first title it meets."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._styles = read_styles(package.related("styles"))
        self._numberer = Numberer(package.related("numbering"))
        self.title: str | None = None

    def blocks(self) -> Iterator[Block]:
        """The blocks of the body, then of the notes."""
        body = self._package.document().find(f"{W}body")
        if body is not None:
            yield from self._content(body)
        for kind in ("footnote", "endnote"):
            yield from self._notes(kind)

    def _content(self, container: Element) -> Iterator[Block]:
        for element in container.iterchildren():
            if element.tag == f"{W}p":
                yield from self._paragraph(element)
            elif element.tag == f"{W}tbl":
                yield from self._table(element)
            elif element.tag in _WRAPPERS:
                yield from self._content(element)

    def _paragraph(self, element: Element) -> Iterator[Block]:
        style = paragraph_style(element.find(f"{W}pPr"), self._styles)
        text = paragraph_text(element)
        if text.strip():
            if style.title and self.title is None:
                self.title = text.strip()
            marker = self._numberer.marker(style.numbering) if style.numbering else ""
            yield Block(marker + text, style.level, tight=bool(marker) and not style.level)
        for box in text_boxes(element):
            yield from self._content(box)

    def _table(self, table: Element) -> Iterator[Block]:
        """A row a line; a table of one column serves layout, so its content is read as text."""
        rows = [list(_inside(each, f"{W}tc")) for each in _inside(table, f"{W}tr")]
        if all(len(cells) <= 1 for cells in rows):
            for cells in rows:
                for cell in cells:
                    yield from self._content(cell)
            return
        for cells in rows:
            yield row([" ".join(self._cell(cell)) for cell in cells])

    def _cell(self, cell: Element) -> Iterator[str]:
        for block in self._content(cell):
            yield " ".join(block.text.split())

    def _notes(self, kind: str) -> Iterator[Block]:
        root = self._package.related(f"{kind}s")
        for note in () if root is None else root.iter(W + kind):
            if note.get(f"{W}type", "") not in _SEPARATORS:
                text = " ".join(block.text for block in self._content(note))
                mark = f"[{note.get(f'{W}id', '')}] "
                yield Block(mark + text.strip() if text.strip() else "", tight=True)


def _inside(container: Element, tag: str) -> Iterator[Element]:
    """The rows of a table or cells of a row, through the wrappers that may stand between."""
    for element in container.iterchildren():
        if element.tag == tag:
            yield element
        elif element.tag in _WRAPPERS:
            yield from _inside(element, tag)
