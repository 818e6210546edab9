"""Turns the blocks of a source into what ReportLab sets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import NextPageTemplate, Spacer
from reportlab.platypus import PageBreak as NextPage
from reportlab.platypus import Paragraph as SetParagraph
from reportlab.platypus import Table as SetTable
from reportlab.platypus.tableofcontents import TableOfContents

from sample_docs.making.blocks import (
    Block,
    Contents,
    Heading,
    Items,
    PageBreak,
    Paragraph,
    Table,
)
from sample_docs.making.hyphenation import hyphenate
from sample_docs.making.pages import Folios
from sample_docs.making.typography import Typography

TABLE_STYLE = [
    ("GRID", (0, 0), (-1, -1), 0.4, HexColor("#9aa5ab")),
    ("BACKGROUND", (0, 0), (-1, 0), HexColor("#e8eef0")),
    ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
]
CELL_PADDING = 13.0
"""Points that a cell adds to its text: 6 on either side, and 1 against rounding."""
COVER_DROP = 140.0
"""Points from the top of a cover to its title."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes blocks for a column `width` points wide."""

    typography: Typography
    hyphenation: Mapping[str, str]
    width: float
    folios: Folios

    def compose(self, block: Block) -> Iterator[Any]:
        """The flowables of a block."""
        match block:
            case Heading(level, text):
                if level == 1:
                    yield Spacer(1, COVER_DROP)
                yield self._heading(level, text)
            case Paragraph(text):
                yield SetParagraph(self._text(text), self.typography.body)
            case Items(lines, numbered):
                for number, line in enumerate(lines, 1):
                    marker = f"{number}." if numbered else "•"
                    yield SetParagraph(self._text(line), self.typography.item, marker)
            case Table(rows):
                yield self._table(rows)
                yield Spacer(1, 10)
            case PageBreak(restarts_numbers):
                if restarts_numbers:
                    yield NextPageTemplate("first")
                yield NextPage()
            case Contents():
                yield TableOfContents(
                    levelStyles=list(self.typography.contents),
                    dotsMinLevel=0,
                    formatter=self.folios.body_label,
                )

    def _heading(self, level: int, text: str) -> Any:
        heading = SetParagraph(escape(text), self.typography.headings[level - 1])
        if level > 1:
            heading.outline_level = level - 2
        return heading

    def _text(self, text: str) -> str:
        return escape(hyphenate(text, self.hyphenation))

    def _table(self, rows: tuple[tuple[str, ...], ...]) -> Any:
        cells = [[SetParagraph(escape(text), self.typography.cell) for text in row] for row in rows]
        return SetTable(cells, self._widths(rows), style=TABLE_STYLE, hAlign="LEFT", repeatRows=1)

    def _widths(self, rows: tuple[tuple[str, ...], ...]) -> list[float]:
        """As wide as each column needs; the widest gives way where that is too much."""
        font, size = self.typography.cell.fontName, self.typography.cell.fontSize
        widths = [
            max(stringWidth(text, font, size) for text in column) + CELL_PADDING
            for column in zip(*rows, strict=True)
        ]
        excess = max(0.0, sum(widths) - self.width)
        widths[widths.index(max(widths))] -= excess
        return widths
