"""Sheets of rows and columns: CSV, XLSX and XLS.

A row is a line, its cells in their columns. A sheet's name is a heading, and so is its header
row: every chunk of the sheet is then embedded with the names of its columns. The rows are the
pages: a citation tells its sheet and row.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ingest.errors import TooLarge
from ingest.parsers.characters import one_line
from ingest.parsers.detection import RawFile
from ingest.types import Parsed, ParseLimits
from retrieval.types import Heading, Page

_ANCHORS: Final = 2_000  # of a sheet; where it has more rows, several share one

_TITLES: Final = 5  # rows that the header is looked for in
_NAME: Final = 80  # code points of a column's name


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of cells, as they stand; `name` is empty where a file is one sheet."""

    name: str
    rows: Iterable[Sequence[object]]


def read_sheets(file: RawFile, sheets: Iterable[Sheet], limits: ParseLimits) -> Parsed:
    """The canonical text of sheets. Raises TooLarge."""
    text = _Text(file.name, limits.characters)
    headings: list[Heading] = []
    pages: list[Page] = []
    for sheet in sheets:
        rows = [(n, cells) for n, row in enumerate(sheet.rows, start=1) if (cells := _cells(row))]
        if not rows:
            continue
        where = f"{sheet.name}, " if sheet.name else ""
        if sheet.name:
            headings.append(text.heading(sheet.name, 1))
        header = _header(rows)
        for _, words in rows[: header or 0]:
            text.line(" | ".join(words))
        if header is not None:
            headings.append(text.heading(" | ".join(rows[header][1]), 1 + bool(sheet.name)))
            rows = rows[header + 1 :]
        begun = pages[-1].end if pages else 0
        step = -(-len(rows) // _ANCHORS)
        for at in range(0, len(rows), step):
            group = rows[at : at + step]
            for _, cells in group:
                text.line(" | ".join(cells))
            first, last = group[0][0], group[-1][0]
            label = f"{where}row {first}" if first == last else f"{where}rows {first} to {last}"
            pages.append(Page(len(pages) + 1, begun, text.length, label))
            begun = text.length
        text.line("")
    return Parsed(
        text.whole(), file.kind.value, pages=_trimmed(pages, text), headings=tuple(headings)
    )


class _Text:
    """Lines that become one text."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._parts: list[str] = []
        self.length = 0

    def line(self, line: str) -> None:
        self._parts.append(line + "\n")
        self.length += len(line) + 1
        if self.length > self._limit:
            raise TooLarge(
                f"{self._name} has more than {self._limit:,} characters. Split it, or raise the "
                "limit."
            )

    def heading(self, words: str, level: int) -> Heading:
        start = self.length
        self.line(words)
        return Heading(start, start + len(words), level)

    def whole(self) -> str:
        return "".join(self._parts).rstrip("\n")


def _trimmed(pages: Sequence[Page], text: _Text) -> tuple[Page, ...]:
    """The pages without the line ends behind the text."""
    end = len(text.whole())
    return tuple(Page(p.number, p.start, min(p.end, end), p.label) for p in pages)


def _cells(row: Sequence[object]) -> list[str]:
    """The cells as they are shown, without the empty ones at the end."""
    cells = [_shown(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _shown(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds")
    return one_line(str(value))


def _header(rows: Sequence[tuple[int, Sequence[str]]]) -> int | None:
    """Which row names the columns, if one does: words, each once, wider than what is above it."""
    for at, (_, names) in enumerate(rows[:_TITLES]):
        named = len(names) > 1 and len(set(names)) == len(names) and all(map(_is_name, names))
        above = max((len(cells) for _, cells in rows[:at]), default=0)
        if named and above < len(names) and at + 1 < len(rows):
            return at
    return None


def _is_name(cell: str) -> bool:
    return len(cell) <= _NAME and any(character.isalpha() for character in cell)
