import pypdfium2
import pypdfium2.raw as pdfium
import pytest

from ingest.errors import DamagedDocument
from ingest.parsers import boxes, parse
from retrieval.types import Box, Page
from tests.ingest.parsers.builders import pdf
from tests.ingest.parsers.test_pdf import WRAPPED

LINES = ["The first line of the page has some words in it", "and the second line goes on."]


def located(data: bytes, words: str) -> tuple[Box, ...]:
    parsed = parse(data, "a.pdf")
    start = parsed.text.index(words)
    page = next(page for page in parsed.pages if page.start <= start < page.end)
    return boxes(data, "a.pdf", page, start, start + len(words)).boxes


def words_inside(data: bytes, box: Box) -> str:
    """What pdfium finds inside a box of an unrotated page."""
    with pypdfium2.PdfDocument(data) as document:
        page = document[box.page - 1]
        height = page.get_height()
        text = page.get_textpage()
        found = text.get_text_bounded(
            box.left - 0.5, height - box.bottom, box.right + 0.5, height - box.top
        )
    return str(found).strip()


def test_one_box_a_line_that_holds_the_words() -> None:
    data = pdf([["Cover"], LINES])
    found = located(data, "words in it and the second")
    assert [words_inside(data, box) for box in found] == ["words in it", "and the second"]
    assert found[0].bottom <= found[1].top + 1


def test_a_word_broken_over_two_lines() -> None:
    data = pdf([WRAPPED])
    assert [words_inside(data, box) for box in located(data, "quote before")] == [
        "quote be",
        "fore",
    ]


def test_box_is_measured_from_the_top_left() -> None:
    (box,) = located(pdf([["Here"]]), "Here")
    assert box.left == pytest.approx(72, abs=1)
    assert box.top < 84 < box.bottom + 1
    assert box.bottom - box.top < 16


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_boxes_turn_with_the_page(rotation: int) -> None:
    # Turned it is as high as it was wide: higher up nothing would be seen of it.
    upright, turned = (pdf([["Here"]], rotation=each, top=500) for each in (0, rotation))
    (box,) = located(turned, "Here")
    (flat,) = located(upright, "Here")
    with pypdfium2.PdfDocument(turned) as document:
        page = document[0]
        width, height = round(page.get_width()), round(page.get_height())
        corners = [
            _device(page, width, height, x, 841.89 - y)
            for x, y in ((flat.left, flat.top), (flat.right, flat.bottom))
        ]
    across, down = ([corner[axis] for corner in corners] for axis in (0, 1))
    assert (box.left, box.right) == pytest.approx((min(across), max(across)), abs=1.5)
    assert (box.top, box.bottom) == pytest.approx((min(down), max(down)), abs=1.5)


def _device(
    page: pypdfium2.PdfPage, width: int, height: int, x: float, y: float
) -> tuple[int, int]:
    """Where pdfium itself would draw a point."""
    across, down = pdfium.c_int(), pdfium.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, across, down)
    return across.value, down.value


def test_nothing_to_show_outside_the_text_or_the_file() -> None:
    data = pdf([["Here"]])
    assert boxes(data, "a.pdf", Page(1, 0, 4, "1"), 4, 90).boxes == ()
    with pytest.raises(DamagedDocument, match=r"Page 9 of a\.pdf can't be read"):
        boxes(data, "a.pdf", Page(9, 0, 4, "9"), 0, 4)
