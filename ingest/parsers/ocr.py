"""Text recognition (OCR) by RapidOCR, an optional extra: scanned pages and images, in English
and Chinese. Its models come with it; nothing is fetched.
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ingest.parsers.characters import glue, tidy
from ingest.parsers.pdf_frame import Rectangle

Image = NDArray[np.uint8]
"""`(height, width, 3)`, blue, green, red."""

AVAILABLE: Final = importlib.util.find_spec("rapidocr") is not None
ADVICE: Final = "pip install 'footnote[ocr]' lets it be recognised (OCR)"

_SURE: Final = 0.5  # what is recognised with less confidence is mostly dirt
_SAME_LINE: Final = 0.5  # of a line's height that two pieces of one line overlap
_PARAGRAPH: Final = 0.8  # of a line's height that the gap between two paragraphs has, at least
_FULL: Final = 0.85  # of the width that a line has which goes on in the next


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text that was recognised, and where, in pixels."""

    text: str
    place: Rectangle


def recognise(image: Image) -> str:
    """The canonical text in an image, from top to bottom; empty if there is none."""
    found = _engine()(image)
    if found.boxes is None or not found.txts:
        return ""
    pieces = [
        _Piece(text, Rectangle(*box.min(axis=0).tolist(), *box.max(axis=0).tolist()))
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if score >= _SURE and text.strip()
    ]
    return tidy(_joined(_lines(pieces)))


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR  # an optional extra, and slow to import

    return RapidOCR(params={"Global.log_level": "critical"})


def _lines(pieces: Sequence[_Piece]) -> list[_Piece]:
    """The pieces line by line: what stands side by side is one line."""
    lines: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.place.top + piece.place.bottom):
        if lines and _overlap(lines[-1][-1], piece) > _SAME_LINE * piece.place.height:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [_line(sorted(line, key=lambda piece: piece.place.left)) for line in lines]


def _overlap(one: _Piece, other: _Piece) -> float:
    return min(one.place.bottom, other.place.bottom) - max(one.place.top, other.place.top)


def _line(pieces: Sequence[_Piece]) -> _Piece:
    places = [piece.place for piece in pieces]
    return _Piece(
        " ".join(piece.text.strip() for piece in pieces),
        Rectangle(
            min(place.left for place in places),
            min(place.top for place in places),
            max(place.right for place in places),
            max(place.bottom for place in places),
        ),
    )


def _joined(lines: Sequence[_Piece]) -> str:
    """Lines as paragraphs: a full line goes on in the next one, if that is near."""
    if not lines:
        return ""
    places = [line.place for line in lines]
    left, right = min(place.left for place in places), max(place.right for place in places)
    height = median(place.height for place in places)
    text = lines[0].text
    for above, line in pairwise(lines):
        near = line.place.top - above.place.bottom < _PARAGRAPH * height
        full = above.place.right - left > _FULL * (right - left)
        if near and full:
            text += glue(text, line.text) + line.text
        else:
            text += ("\n" if near else "\n\n") + line.text
    return text
