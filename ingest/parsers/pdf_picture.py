"""A page of a PDF as a picture."""

import math
from collections.abc import Sequence
from io import BytesIO
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from ingest.parsers.pdf_document import open_page
from ingest.types import Picture
from retrieval.types import Box

_PIXELS: Final = 20_000_000  # 60 MB; A4 has 8 million at 4 pixels a point
_LONGEST: Final = 16_384  # pixels along a side, beyond which browsers don't draw
_YELLOW: Final = (255, 232, 80)
_COMPRESSION: Final = 3  # as small as 6 on pages of text, in two thirds of the time


def picture(
    data: bytes, name: str, number: int, scale: float, boxes: Sequence[Box] = ()
) -> Picture:
    """Page `number`, from 1, as a viewer shows it, `boxes` marked in yellow.

    `scale` is in pixels a point, and less in the picture of a page so large that this would be
    too many. Annotations are drawn, fields of forms aren't, and nothing is run. Raises
    DamagedDocument or EncryptedDocument.
    """
    with open_page(data, name, number) as page:
        scale = min(scale, _affordable(*page.get_size()))
        image = page.render(scale=scale).to_pil()
    file = BytesIO()
    _marked(image, boxes, scale).save(file, "PNG", compress_level=_COMPRESSION)
    return Picture(file.getvalue(), scale)


def _affordable(width: float, height: float) -> float:
    """The scale at which a page has as many pixels as it may have. No size is too odd for a PDF."""
    return min(math.sqrt(_PIXELS / max(width * height, 1)), _LONGEST / max(width, height, 1))


def _marked(image: Image.Image, boxes: Sequence[Box], scale: float) -> Image.Image:
    """The image multiplied by that of the boxes: letters stay as dark as they are."""
    marks = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(marks)
    for box in boxes:
        edges = (box.left, box.top, box.right, box.bottom)
        pen.rectangle([scale * edge for edge in edges], fill=_YELLOW)
    return ImageChops.multiply(image, marks)
