"""Text on a PDF page that nobody who looks at it sees.

Text that is white, transparent, invisible, tiny, or off the page is suspected by what the file says
of it. White text may stand on a dark field, and invisible text over the scan that it was read from:
the page is drawn, and only what leaves no trace there is hidden.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, Final

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from ingest.parsers.pdf_frame import Frame, Rectangle, char_box, frame_of

_TEXT: Final = pdfium.FPDF_PAGEOBJ_TEXT
_DEPTH: Final = 15  # of forms within forms
_FILL: Final = 0  # the mode in which letters are filled and nothing else
_UNSEEN_MODES: Final = (3, 7)
_INVISIBLE: Final = "invisible"
_WHITE: Final = 230  # of 255, in each colour
_TRANSPARENT: Final = 26  # of 255
_TINY: Final = 1.5  # points
_CONTRAST: Final = 20  # of 255, within the box of a character that is seen
_UNSEEN: Final = 0.9  # of the characters of a run, where a few touch something else
_LONGEST: Final = 1_000  # pixels of a drawn page
_INNER: Final = 0.2  # of a box's height, above and below, where other lines may reach


@dataclass(frozen=True, slots=True)
class HiddenRun:
    """Characters `start` to `end` of a page, as pdfium numbers them, and how they are hidden."""

    start: int
    end: int
    way: str

    @property
    def is_kept(self) -> bool:
        """Whether it may be the text of a scan, though there is none below it."""
        return self.way == _INVISIBLE


def hidden_runs(page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, raw: str) -> list[HiddenRun]:
    """The characters of a page that aren't seen. `raw` are all of them."""
    frame = frame_of(page)
    suspects = dict(_suspects(page, frame))
    if not suspects:
        return []
    look = _Look(page, text, frame)
    return [
        HiddenRun(run[0], run[-1] + 1, way)
        for way, run in _runs(text, raw, suspects)
        if look.is_hidden(run, way)
    ]


def without(raw: str, runs: Sequence[HiddenRun]) -> str:
    """As many characters, with spaces where text is left out; ends of lines stay."""
    for run in (run for run in runs if not run.is_kept):
        blank = "".join(one if one in "\r\n" else " " for one in raw[run.start : run.end])
        raw = raw[: run.start] + blank + raw[run.end :]
    return raw


def _suspects(page: pypdfium2.PdfPage, frame: Frame) -> Iterator[tuple[int, str]]:
    """The addresses of text objects that may not be seen, and why."""
    colours = [ctypes.c_uint() for _ in range(4)]
    size = ctypes.c_float()
    matrix = pdfium.FS_MATRIX()
    bounds = [ctypes.c_float() for _ in range(4)]
    for one in page.get_objects(filter=[_TEXT], max_depth=_DEPTH):
        handle = one.raw
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
        known = pdfium.FPDFPageObj_GetFillColor(handle, *colours)
        *colour, alpha = (each.value for each in colours)
        pdfium.FPDFTextObj_GetFontSize(handle, size)
        pdfium.FPDFPageObj_GetMatrix(handle, matrix)
        pdfium.FPDFPageObj_GetBounds(handle, *bounds)
        if mode in _UNSEEN_MODES:
            yield _address(handle), _INVISIBLE
        elif known and alpha < _TRANSPARENT:
            yield _address(handle), "transparent"
        elif known and mode == _FILL and min(colour) >= _WHITE:
            yield _address(handle), "in the colour of the page"
        elif size.value * math.hypot(matrix.b, matrix.d) < _TINY:
            yield _address(handle), "tiny"
        elif _is_outside(frame, *(each.value for each in bounds)):
            yield _address(handle), "off the page"


def _is_outside(frame: Frame, left: float, bottom: float, right: float, top: float) -> bool:
    beside = right <= frame.left or left >= frame.right
    return beside or top <= frame.bottom or bottom >= frame.top


def _runs(
    text: pypdfium2.PdfTextPage, raw: str, suspects: dict[int, str]
) -> Iterator[tuple[str, list[int]]]:
    """Characters in a row that are suspected for the same reason; white space belongs to both."""

    def way(place: int) -> str:
        handle = pdfium.FPDFText_GetTextObject(text, place)
        return suspects.get(_address(handle), "") if handle else ""

    visible = (place for place, character in enumerate(raw) if not character.isspace())
    for why, places in groupby(visible, way):
        if why:
            yield why, list(places)


def _address(handle: Any) -> int:
    return ctypes.addressof(handle.contents)


class _Look:
    """What is seen of a page where characters stand."""

    def __init__(self, page: pypdfium2.PdfPage, text: pypdfium2.PdfTextPage, frame: Frame) -> None:
        self._page, self._text, self._frame = page, text, frame
        width, height = page.get_size()
        self._width, self._height = width, height
        self._scale = min(1.0, _LONGEST / max(width, height, 1.0))

    def is_hidden(self, places: Sequence[int], way: str) -> bool:
        boxes = list(self._boxes(places))
        if way == "off the page":
            return all(self._is_off(box) for box in boxes)
        if way == "tiny":
            return all(min(box.height, box.right - box.left) < 2 * _TINY for box in boxes)
        unseen = sum(not self._shows(box) for box in boxes)
        return unseen >= _UNSEEN * len(boxes)

    def _boxes(self, places: Sequence[int]) -> Iterator[Rectangle]:
        box = pdfium.FS_RECTF()
        for place in places:
            if char_box(self._text, place, box):
                yield self._frame.place(box)

    def _is_off(self, box: Rectangle) -> bool:
        across = box.right <= 0 or box.left >= self._width
        return across or box.bottom <= 0 or box.top >= self._height

    def _shows(self, box: Rectangle) -> bool:
        """Whether anything differs from its surroundings within a box."""
        inner = _INNER * box.height
        left, right = self._pixel(box.left), self._pixel(box.right) + 1
        top, bottom = self._pixel(box.top + inner), self._pixel(box.bottom - inner) + 1
        part = self._drawn[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
        if not part.size:
            return False
        return bool((part.max(axis=(0, 1)) - part.min(axis=(0, 1))).max() > _CONTRAST)

    def _pixel(self, points: float) -> int:
        return int(points * self._scale)

    @cached_property
    def _drawn(self) -> NDArray[np.int16]:
        drawn = self._page.render(scale=self._scale, rev_byteorder=True).to_numpy()
        return np.asarray(drawn[:, :, :3], dtype=np.int16)
