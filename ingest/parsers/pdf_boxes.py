"""Where on a PDF page a span of its canonical text stands."""

from collections.abc import Iterator, Sequence

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.parsers.pdf_document import open_page
from ingest.parsers.pdf_frame import Rectangle, char_box, frame_of
from ingest.parsers.pdf_reflow import reflow
from ingest.parsers.pdf_running import PageLines
from ingest.types import PageBoxes
from retrieval.types import Box, Page


def boxes(data: bytes, name: str, page: Page, start: int, end: int) -> PageBoxes:
    """Rectangles on `page`, about one a line, that cover the canonical span `[start, end)`.

    The page is read again just as `parse` read it, so the offsets agree; the part of the span on
    other pages is left out. Raises EncryptedDocument, and DamagedDocument where only the second
    reader could read the page.
    """
    with open_page(data, name, page.number) as leaf:
        sources = reflow(PageLines(leaf.pdf).body(page.number - 1)).sources
        wanted = sources[max(start - page.start, 0) : max(end - page.start, 0)]
        found = _merged(list(_rectangles(leaf, wanted)))
        width, height = leaf.get_size()
        return PageBoxes(page, width, height, tuple(Box(page.number, *each) for each in found))


def _rectangles(page: pypdfium2.PdfPage, sources: Sequence[int]) -> Iterator[Rectangle]:
    """The rectangles of pdfium's characters, without those that have no extent."""
    text = page.get_textpage()
    frame = frame_of(page)
    box = pdfium.FS_RECTF()
    for source in sources:
        if source >= 0 and char_box(text, source, box):
            place = frame.place(box)
            if place.right > place.left and place.bottom > place.top:
                yield place
    text.close()


def _merged(places: Sequence[Rectangle]) -> Iterator[Rectangle]:
    """Rectangles joined along their line, whichever way it runs."""
    merged: Rectangle | None = None
    for place in places:
        if merged is None:
            merged = place
        elif _on_one_line(merged, place):
            merged = Rectangle(
                min(merged.left, place.left),
                min(merged.top, place.top),
                max(merged.right, place.right),
                max(merged.bottom, place.bottom),
            )
        else:
            yield merged
            merged = place
    if merged is not None:
        yield merged


def _on_one_line(line: Rectangle, place: Rectangle) -> bool:
    """Whether a character continues a line: level with it and near its end."""
    level = min(line.bottom, place.bottom) - max(line.top, place.top) > 0.5 * place.height
    width = place.right - place.left
    upright = min(line.right, place.right) - max(line.left, place.left) > 0.5 * width
    near = 4 * max(place.height, width)
    beside = place.left - line.right < near and line.left - place.right < near
    below = place.top - line.bottom < near and line.top - place.bottom < near
    return (level and beside) or (upright and below and line.right - line.left < 1.5 * width)
