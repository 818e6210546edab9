"""Images: the text in them, where text recognition is installed."""

from io import BytesIO

import numpy as np
from PIL import Image

from ingest.errors import TooLarge, UnsupportedMedia
from ingest.parsers import ocr
from ingest.parsers.detection import RawFile
from ingest.types import Parsed, ParseLimits

_MOST_PIXELS = 100_000_000


def parse_image(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The text in an image. Raises UnsupportedMedia without the extra, TooLarge."""
    if not ocr.AVAILABLE:
        raise UnsupportedMedia(f"{file.name} is an image: {ocr.ADVICE}.")
    with Image.open(BytesIO(file.data)) as image:
        width, height = image.size
        if width * height > _MOST_PIXELS:
            raise TooLarge(f"{file.name} has {width} x {height} pixels; split it.")
        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
    return Parsed(ocr.recognise(np.ascontiguousarray(pixels)), file.kind.value)
