"""Running headers and footers: what stands at the edge of page after page is said once.

A line among the outermost of its page is running where two of the four pages around it have the
same one, page numbers aside, at the same place. It stays on the first page that has it, so no
word of the document is lost.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import pypdfium2

from ingest.parsers.hidden import Hidden
from ingest.parsers.pdf_lines import Line, PageText, read_lines

_OUTERMOST: Final = 2  # lines at the top, and as many at the bottom
_AROUND: Final = (-2, -1, 1, 2)
_PAGES: Final = 2  # of those around that must have it
_SAME_PLACE: Final = 4.0  # points
_NUMBER: Final = re.compile(r"\d+|\b[ivxlc]+\b")


class PageLines:
    """The lines of the pages of a document, each page read once while it is near."""

    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self._count = len(document)
        self._read = lru_cache(maxsize=2 * len(_AROUND))(self._lines)

    def body(self, index: int) -> Sequence[Line]:
        """The lines of a page without those that run. Raises PdfiumError."""
        lines = self._read(index).lines
        around = {step: self._edges(index + step) for step in _AROUND}

        def runs(line: Line) -> bool:
            found = [step for step, edge in around.items() if any(_alike(line, e) for e in edge)]
            return len(found) >= _PAGES and min(found) < 0

        running = {id(line) for line in _outermost(lines) if runs(line)}
        return [line for line in lines if id(line) not in running]

    def _edges(self, index: int) -> Sequence[Line]:
        if not 0 <= index < self._count:
            return ()
        try:
            return _outermost(self._read(index).lines)
        except pypdfium2.PdfiumError:  # it is told when its own turn comes
            return ()

    def hidden(self, index: int) -> tuple[Hidden, ...]:
        """The text of a page that isn't seen. Raises PdfiumError."""
        return self._read(index).hidden

    def _lines(self, index: int) -> PageText:
        page = self._document[index]
        try:
            return read_lines(page)
        finally:
            page.close()


def _outermost(lines: Sequence[Line]) -> list[Line]:
    if len(lines) <= 2 * _OUTERMOST:  # a page of a few lines has no edge
        return []
    ordered = sorted(lines, key=lambda line: line.place.top)
    return [*ordered[:_OUTERMOST], *ordered[-_OUTERMOST:]]


def _alike(line: Line, other: Line) -> bool:
    return abs(line.place.top - other.place.top) < _SAME_PLACE and _words(line) == _words(other)


def _words(line: Line) -> str:
    return _NUMBER.sub("#", line.text)
