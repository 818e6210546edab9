"""From the coordinates of PDF (origin bottom left, unrotated) to those of the page as seen."""

import ctypes
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import pypdfium2
import pypdfium2.raw as pdfium


class Rectangle(NamedTuple):
    """A rectangle in points from the top left corner of a page as it is seen."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Frame:
    """The visible box of a page in PDF coordinates, turned clockwise by `quarters` of 90°."""

    left: float
    bottom: float
    right: float
    top: float
    quarters: int

    def place(self, box: pdfium.FS_RECTF) -> Rectangle:
        """Where a box of PDF coordinates is seen (PDF 2.0, 8.3.2: user space to device)."""
        left, right = box.left - self.left, box.right - self.left
        top, bottom = self.top - box.top, self.top - box.bottom
        width, height = self.right - self.left, self.top - self.bottom
        for _ in range(self.quarters):
            left, right, top, bottom = height - bottom, height - top, left, right
            width, height = height, width
        return Rectangle(left, top, right, bottom)


def frame_of(page: pypdfium2.PdfPage) -> Frame:
    """The frame of a page as a viewer shows it."""
    box = pdfium.FS_RECTF()
    if not pdfium.FPDF_GetPageBoundingBox(page, box):
        return Frame(0, 0, page.get_width(), page.get_height(), 0)
    return Frame(box.left, box.bottom, box.right, box.top, page.get_rotation() // 90)


def upright(frame: Frame, text: pypdfium2.PdfTextPage, places: Iterable[int]) -> Frame:
    """`frame` turned so that most of the characters at `places` stand upright.

    Tables are often set sideways on a page that isn't turned itself. pdfium's angles are clockwise.
    """
    angles = (pdfium.FPDFText_GetCharAngle(text, place) for place in places)
    turns = Counter(-round(angle / (math.pi / 2)) % 4 for angle in angles if angle >= 0)
    quarters = turns.most_common(1)[0][0] if turns else 0
    return Frame(frame.left, frame.bottom, frame.right, frame.top, quarters)


def char_box(text: pypdfium2.PdfTextPage, place: int, box: pdfium.FS_RECTF) -> bool:
    """Fills `box` with that of a character: its advance wide, its font's line high."""
    return bool(pdfium.FPDFText_GetLooseCharBox(text, place, ctypes.byref(box)))
