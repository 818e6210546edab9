import io
from collections.abc import Callable
from math import ceil

import numpy as np
import pypdf
import pytest
from numpy.typing import NDArray
from PIL import Image
from pypdf.annotations import Rectangle as RectangleAnnotation
from pypdf.generic import RectangleObject

from ingest.errors import DamagedDocument, EncryptedDocument
from ingest.parsers import boxes, parse, picture
from ingest.types import PageBoxes
from retrieval.types import Box
from tests.ingest.parsers.builders import pdf
from tests.ingest.parsers.test_pdf import encrypted

WORD = "Warranty"
SCALE = 2

Pixels = NDArray[np.int16]
"""`(height, width, 3)`, red, green, blue."""


def pixels(png: bytes) -> Pixels:
    with Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(np.int16)


def drawn(data: bytes, *marks: Box, number: int = 1, scale: float = SCALE) -> Pixels:
    return pixels(picture(data, "a.pdf", number, scale, marks).png)


def edited(data: bytes, edit: Callable[[pypdf.PageObject], object]) -> bytes:
    """The PDF with its first page changed."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    edit(writer.pages[0])
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def turned(quarters: int, *box: float) -> bytes:
    """A page with one word, of which only `box` is to be seen, turned clockwise."""

    def edit(page: pypdf.PageObject) -> None:
        if box:
            page.cropbox = RectangleObject(box)
        page.rotate(90 * quarters)

    return edited(pdf([[WORD]], top=500), edit)


def sized(width: float, height: float) -> bytes:
    def edit(page: pypdf.PageObject) -> None:
        page.mediabox = page.cropbox = RectangleObject((0, 0, width, height))

    return edited(pdf([[WORD]]), edit)


def extent(where: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is set."""
    rows, columns = np.nonzero(where)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def found(data: bytes) -> PageBoxes:
    """Where the page's only word stands."""
    parsed = parse(data, "a.pdf")
    assert parsed.text == WORD
    return boxes(data, "a.pdf", parsed.pages[0], 0, len(WORD))


def is_dark(image: Pixels) -> NDArray[np.bool_]:
    return image[:, :, 0] < 100


def is_yellow(image: Pixels) -> NDArray[np.bool_]:
    return (image[:, :, 0] > 200) & (image[:, :, 2] < 100)


@pytest.mark.parametrize("box", [(), (30, 400, 400, 620)], ids=["whole", "cropped"])
@pytest.mark.parametrize("quarters", range(4))
def test_a_word_stands_in_its_box_and_the_box_is_yellow(
    quarters: int, box: tuple[float, ...]
) -> None:
    data = turned(quarters, *box)
    page = found(data)
    (place,) = page.boxes
    edges = [SCALE * edge for edge in (place.left, place.top, place.right, place.bottom)]
    plain, lit = drawn(data), drawn(data, place)
    assert plain.shape == (ceil(SCALE * page.height), ceil(SCALE * page.width), 3)
    left, top, right, bottom = extent(is_dark(plain))
    assert edges[0] - 1 <= left < right <= edges[2] + 1
    assert edges[1] - 1 <= top < bottom <= edges[3] + 1
    assert extent(is_yellow(lit)) == pytest.approx(edges, abs=1.5)
    assert (is_dark(lit) == is_dark(plain)).all()
    assert not is_yellow(plain).any()


def test_marks_that_overlap_are_no_darker_and_those_off_the_page_do_no_harm() -> None:
    data = pdf([[WORD]])
    one, other = Box(1, 100, 100, 200, 200), Box(1, 150, 150, 1e12, 250)
    lit = drawn(data, one, other, Box(1, -1e30, -50, -1, -1))
    assert (lit[2 * 175, 2 * 175] == lit[2 * 110, 2 * 110]).all()
    assert not is_yellow(lit)[: 2 * 99].any()


@pytest.mark.parametrize("scale", [0.5, 1.3, 4])
def test_a_picture_has_as_many_pixels_as_was_asked_for(scale: float) -> None:
    made = picture(pdf([[WORD]]), "a.pdf", 1, scale)
    assert made.scale == scale
    height, width, _ = pixels(made.png).shape
    assert (width, height) == pytest.approx((595.28 * scale, 841.89 * scale), abs=1)


@pytest.mark.parametrize(
    "size", [(2_000_000, 1_000_000), (600, 14_400), (1, 1e9), (0.001, 0.001), (3, 1e-6)]
)
def test_a_page_of_any_size_has_a_picture_that_fits_into_memory(size: tuple[float, float]) -> None:
    made = picture(sized(*size), "a.pdf", 1, 4)
    height, width, _ = pixels(made.png).shape
    assert width * height <= 20_100_000
    assert max(width, height) <= 16_385
    expected = [max(1, side * made.scale) for side in size]
    assert (width, height) == pytest.approx(expected, abs=1.1)


def test_annotations_are_drawn() -> None:
    def annotate(page: pypdf.PageObject) -> None:
        square = RectangleAnnotation((100, 100, 200, 200), interior_color="0000ff")
        page[pypdf.generic.NameObject("/Annots")] = pypdf.generic.ArrayObject([square])

    blue = drawn(edited(pdf([[WORD]]), annotate))
    assert (blue[2 * (842 - 150), 2 * 150] == (0, 0, 255)).all()


def test_what_can_not_be_drawn_is_told() -> None:
    with pytest.raises(EncryptedDocument, match=r"a\.pdf is encrypted"):
        picture(encrypted("user"), "a.pdf", 1, 1)
    with pytest.raises(DamagedDocument, match=r"a\.pdf is a damaged PDF"):
        picture(b"%PDF-1.7 nothing more", "a.pdf", 1, 1)
    for number in (0, 2):
        with pytest.raises(DamagedDocument, match=rf"Page {number} of a\.pdf"):
            picture(pdf([[WORD]]), "a.pdf", number, 1)
