"""The second reader of PDF: pypdf, slower and without geometry, but it repairs other damage."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import islice

from pypdf import PdfReader

from ingest.parsers.characters import tidy


def read_with_pypdf(data: bytes, most: int) -> list[str]:
    """The text of up to `most` pages and one more; none where pypdf can't read the file either."""
    with _silence():
        try:
            reader = PdfReader(BytesIO(data))
            return [tidy(page.extract_text()) for page in islice(reader.pages, most + 1)]
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  pypdf fails on damage in many ways of Python's own
            return []


@contextmanager
def _silence() -> Iterator[None]:
    """Keeps pypdf's remarks on a damaged file out of the log; the error says enough."""
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
