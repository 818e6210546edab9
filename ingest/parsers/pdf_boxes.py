"""Where on a PDF page a span of its canonical text stands."""

from collections.abc import Iterator, Sequence

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.parsers.pdf_document import open_pdf
from ingest.parsers.pdf_frame import Rectangle, char_box, frame_of
from ingest.parsers.pdf_reflow import reflow
from ingest.parsers.pdf_running import PageLines
from retrieval.types import Box, Page


def boxes(data: bytes, page: Page, start: int, end: int) -> tuple[Box, ...]:
    """Rectangles on `page`, about one a line, that cover the canonical span `[start, end)`.

    The page is read again just as `parse` read it, so the offsets agree; the part of the span on
    other pages is left out. Empty where the page has no such text, as in a file that only the
    second reader could read. Raises DamagedDocument or EncryptedDocument.
    """
    with open_pdf(data, f"page {page.number}") as document:
        if not 0 < page.number <= len(document):
            return ()
        sources = reflow(PageLines(document).body(page.number - 1)).sources
        leaf = document[page.number - 1]
        wanted = sources[max(start - page.start, 0) : max(end - page.start, 0)]
        found = list(_rectangles(leaf, wanted))
        leaf.close()
    return tuple(
        Box(page.number, each.left, each.top, each.right, each.bottom) for each in _merged(found)
    )


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
