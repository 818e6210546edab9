"""Sheets of rows and columns: CSV, XLSX and XLS.

A row is a line, its cells in their columns. A sheet's name is a heading, and so is its header
row: every chunk of the sheet is then embedded with the names of its columns. The rows are the
pages: a citation tells its sheet and row.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
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
    """Rows of cells, as they stand, each with its number; `name` is empty where a file is one
    sheet. Rows in which nothing stands needn't be among them.
    """

    name: str
    rows: Iterable[tuple[int, Sequence[object]]]


def read_sheets(file: RawFile, sheets: Iterable[Sheet], limits: ParseLimits) -> Parsed:
    """The canonical text of sheets. Raises TooLarge."""
    text = _Text(file.name, limits.characters)
    headings: list[Heading] = []
    pages: list[Page] = []
    for sheet in sheets:
        rows = ((number, cells) for number, row in sheet.rows if (cells := _cells(row)))
        first = list(islice(rows, _TITLES + 1))
        if not first:
            continue
        where = f"{sheet.name}, " if sheet.name else ""
        if sheet.name:
            headings.append(text.heading(sheet.name, 1))
        header = _header(first)
        for _, words in first[: header or 0]:
            text.line(" | ".join(words))
        if header is not None:
            headings.append(text.heading(" | ".join(first[header][1]), 1 + bool(sheet.name)))
            first = first[header + 1 :]
        ends: list[tuple[int, int]] = []
        for number, cells in chain(first, rows):
            text.line(" | ".join(cells))
            ends.append((number, text.length))
        pages += _pages(ends, where, pages)
        text.line("")
    return Parsed(
        text.whole(), file.kind.value, pages=_trimmed(pages, text), headings=tuple(headings)
    )


def _pages(ends: Sequence[tuple[int, int]], where: str, before: Sequence[Page]) -> Iterator[Page]:
    """The pages of a sheet, whose rows have these numbers and end there in the text."""
    begun, count = before[-1].end if before else 0, len(before)
    step = -(-len(ends) // _ANCHORS)
    for at in range(0, len(ends), step):
        (first, _), (last, end) = ends[at], ends[min(at + step, len(ends)) - 1]
        label = f"{where}row {first}" if first == last else f"{where}rows {first} to {last}"
        count += 1
        yield Page(count, begun, end, label)
        begun = end


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
    if isinstance(value, str):
        return one_line(value)
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
