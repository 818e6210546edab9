"""Text recognition: what it is given back as, and what happens where it isn't installed."""

from io import BytesIO

import pytest

from ingest.errors import EmptyDocument, TooLarge, UnsupportedMedia
from ingest.parsers import images, ocr, parse
from ingest.parsers.ocr import _joined, _lines, _Piece
from ingest.parsers.pdf_frame import Rectangle
from tests.ingest.parsers.builders import pdf

needs_ocr = pytest.mark.skipif(not ocr.AVAILABLE, reason="the extra `ocr` isn't installed")


def piece(text: str, left: float, top: float, width: float = 100.0) -> _Piece:
    return _Piece(text, Rectangle(left, top, left + width, top + 10))


def test_pieces_side_by_side_are_a_line_and_full_lines_a_paragraph() -> None:
    pieces = [
        piece("the right", 110, 1),
        piece("Left and", 0, 0),
        piece("goes on here.", 0, 12, 60),
        piece("Next.", 0, 40, 60),
        piece("第一行写到这里", 0, 60, 210),
        piece("第二行", 0, 72, 60),
    ]
    assert _joined(_lines(pieces)) == (
        "Left and the right goes on here.\n\nNext.\n\n第一行写到这里第二行"
    )
    assert _joined(_lines([])) == ""


def picture(words: str) -> bytes:
    """A PNG of words, as big as a headline."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf([[words]]))
    image = document[0].render(scale=3).to_pil()
    saved = BytesIO()
    image.save(saved, "PNG")
    document.close()
    return saved.getvalue()


@needs_ocr
def test_an_image_and_a_scanned_page_are_read() -> None:
    data = picture("The harbour opens at seven.")
    parsed = parse(data, "a.png")
    assert parsed.text == "The harbour opens at seven."
    from PIL import Image

    saved = BytesIO()
    Image.open(BytesIO(data)).convert("RGB").save(saved, "PDF")
    scanned = parse(saved.getvalue(), "scan.pdf")
    assert scanned.text == "The harbour opens at seven."
    assert "recognised" in scanned.warnings[0]
    assert [page.label for page in scanned.pages] == ["1"]


@needs_ocr
def test_an_image_without_text_is_empty_and_a_vast_one_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(EmptyDocument):
        parse(picture(""), "a.png")
    monkeypatch.setattr(images, "_MOST_PIXELS", 1_000)
    with pytest.raises(TooLarge, match="pixels"):
        parse(picture("x"), "a.png")


def test_without_it_the_advice_is_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "AVAILABLE", False)
    with pytest.raises(UnsupportedMedia, match=r"footnote\[ocr\]"):
        parse(b"\x89PNG\r\n\x1a\n", "a.png")
    with pytest.raises(EmptyDocument, match=r"footnote\[ocr\]"):
        parse(pdf([[], []]), "a.pdf")
