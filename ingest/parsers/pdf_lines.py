"""The lines of a PDF page: their canonical characters and where they are.

pdfium gives characters in its reading order, with a line end after each line or U+0002 for a
hyphen that ends one. Every character kept remembers its number there, so a span of the text
leads back to boxes on the page.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.parsers.characters import is_wide
from ingest.parsers.hidden import Hidden
from ingest.parsers.pdf_characters import canonical_run, read_characters
from ingest.parsers.pdf_frame import Frame, Rectangle, char_box, frame_of, upright
from ingest.parsers.pdf_hidden import hidden_runs, without

_LINE: Final = re.compile("([^\r\n\x02\ufffe]*)(\r\n|[\r\n\x02\ufffe]|$)")
_LOST_F: Final = re.compile(
    r"\b(?:(?:a|di|e|su|coe|ine)f(?= [a-z])|of(?= (?:icer|ices?\b|icial|er(?:s|ed|ing)?\b)))",
    re.IGNORECASE,
)
"""Words whose second f pdfium takes for a shadow of the first and replaces by a space.

Seen where each glyph is placed alone (Chrome's PDFs, small or slanted type): "Dif erentiated".
"""
_LEADER: Final = re.compile(r"(?:[.·…] ?){4,}")
_SPACE: Final = re.compile(" ")
_BAR: Final = " | "
_COLUMN_GAP: Final = 1.6
"""Heights of a line between two words that belong to different columns of a table."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line: characters, the number of each at pdfium, and its place on the page.

    `first_word` is the width of its first word (of its first character in wide script);
    `hyphen` says that the last character is a hyphen at which a word was broken; `is_row` that
    it is a row of a table or of a table of contents; `gaps` are the places of the spaces in its
    text between two columns.
    """

    text: str
    sources: tuple[int, ...]
    place: Rectangle
    first_word: float
    hyphen: bool
    is_row: bool
    gaps: tuple[int, ...] = ()

    def with_cells(self) -> "Line":
        """The line with a bar in each gap between two columns; it comes from no character."""
        text: list[str] = []
        sources: list[int] = []
        for at, (letter, source) in enumerate(zip(self.text, self.sources, strict=True)):
            cell = at in self.gaps
            text.append(_BAR if cell else letter)
            sources += [-1] * len(_BAR) if cell else [source]
        return replace(self, text="".join(text), sources=tuple(sources), gaps=())


@dataclass(frozen=True, slots=True)
class PageText:
    """The lines of a page, and the text on it that isn't seen."""

    lines: Sequence[Line]
    hidden: tuple[Hidden, ...]


def read_lines(page: pypdfium2.PdfPage) -> PageText:
    """The lines of a page that have visible characters, in pdfium's order."""
    text = page.get_textpage()
    try:
        every = read_characters(text)
        runs = hidden_runs(page, text, every)
        raw = without(every, runs)
        frame = upright(frame_of(page), text, islice(_samples(raw), 40))
        hidden = (
            Hidden(canonical_run(every, run.start, run.end)[0], run.way, kept=run.is_kept)
            for run in runs
        )
        return PageText(list(_Reader(text, frame, raw).lines()), tuple(hidden))
    finally:
        text.close()


def _samples(raw: str) -> Iterator[int]:
    """The places of some visible characters, spread over the page."""
    return (match.start() for match in re.finditer(r"\S(?:.{0,40}\S)?", raw))


def is_spread(line: str) -> bool:
    """Whether a line is set with a space after each character, as some Chinese titles are."""
    return line.count(" ") * 5 >= len(line) * 2


class _Reader:
    """Makes lines of the characters of one page."""

    def __init__(self, text: pypdfium2.PdfTextPage, frame: Frame, raw: str) -> None:
        self._text = text
        self._frame = frame
        self._raw = raw
        self._box = pdfium.FS_RECTF()

    def lines(self) -> Iterator[Line]:
        for match in _LINE.finditer(self._raw):
            hyphen = match[2] in ("\x02", "\ufffe") and self._is_hyphen(match.start(2))
            letters, sources = canonical_run(self._raw, match.start(1), match.end(1))
            if letters:
                yield self._line(letters, sources, match.start(2) if hyphen else None)

    def _line(self, letters: str, sources: list[int], hyphen: int | None) -> Line:
        """A line with its geometry, measured at its ends and around its spaces."""
        letters, sources, places, gap, gaps = self._spaced(letters, sources)
        if hyphen is not None:
            letters += "-"
            sources = [*sources, hyphen]
        place = Rectangle(
            min(each.left for each in places),
            median(each.top for each in places),
            max(each.right for each in places),
            median(each.bottom for each in places),
        )
        first = places[0] if is_wide(letters[0]) else places[min(1, len(places) - 1)]
        is_row = gap > _COLUMN_GAP * max(place.height, 1) or _LEADER.search(letters) is not None
        return Line(
            letters,
            tuple(sources),
            place,
            first.right - places[0].left,
            hyphen is not None,
            is_row,
            gaps,
        )

    def _spaced(
        self, letters: str, sources: list[int]
    ) -> tuple[str, list[int], list[Rectangle], float, tuple[int, ...]]:
        """A line without the spaces that pdfium made up, boxes along it, its widest gap, and
        where the gaps between columns are.
        """
        places = [self._place(sources[0])]
        lost = {match.end() for match in _LOST_F.finditer(letters)}
        spread = is_spread(letters)
        widest = 0.0
        columns: list[int] = []
        dropped: list[int] = []
        spelled = list(letters)
        for at in (match.start() for match in _SPACE.finditer(letters)):
            before, after = self._place(sources[at - 1]), self._place(sources[at + 1])
            gap = max(after.left - before.right, before.left - after.right)
            places += (before, after)
            widest = max(widest, gap)
            wide = is_wide(letters[at - 1]) and is_wide(letters[at + 1])
            if wide and (spread or self._is_generated(sources[at])) and gap < before.height:
                dropped.append(at)
                continue
            if at in lost and self._is_generated(sources[at]):
                spelled[at] = "f"
            if gap > _COLUMN_GAP * max(before.height, 1):
                columns.append(at - len(dropped))
        places.append(self._place(sources[-1]))
        for at in reversed(dropped):
            del spelled[at], sources[at]
        return "".join(spelled), sources, places, widest, tuple(columns)

    def _place(self, source: int) -> Rectangle:
        char_box(self._text, source, self._box)
        return self._frame.place(self._box)

    def _is_generated(self, source: int) -> bool:
        return bool(pdfium.FPDFText_IsGenerated(self._text, source) == 1)

    def _is_hyphen(self, source: int) -> bool:
        return bool(pdfium.FPDFText_IsHyphen(self._text, source) == 1)
