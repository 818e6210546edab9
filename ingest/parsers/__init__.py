"""Parsers: bytes to canonical text with its pages and headings.

`parse` is pure and does no input or output of its own. It is meant to run in a process of its
own: pdfium isn't thread-safe, and a hostile file may cost more time or memory than its reader.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from ingest.errors import DamagedDocument, EmptyDocument, IngestError, TooLarge
from ingest.parsers.characters import tagged
from ingest.parsers.code import parse_code
from ingest.parsers.detection import BY_EXTENSION, Kind, RawFile, detect
from ingest.parsers.docx import parse_docx
from ingest.parsers.epub import parse_epub
from ingest.parsers.hidden import Hidden, told
from ingest.parsers.html import parse_html
from ingest.parsers.images import parse_image
from ingest.parsers.json_values import parse_json
from ingest.parsers.markdown import parse_markdown
from ingest.parsers.messages import parse_eml, parse_msg
from ingest.parsers.opendocument import parse_odt
from ingest.parsers.pdf import parse_pdf
from ingest.parsers.pdf_boxes import boxes
from ingest.parsers.pdf_picture import picture
from ingest.parsers.plain import parse_plain
from ingest.parsers.pptx import parse_pptx
from ingest.parsers.spreadsheets import parse_csv, parse_xls, parse_xlsx
from ingest.types import Parsed, ParseLimits

__all__ = ["FINGERPRINT", "SUPPORTED", "boxes", "parse", "picture"]

FINGERPRINT: Final = "parsers-3"
"""Changes whenever the text made of the same bytes may change."""

SUPPORTED: Final = frozenset(BY_EXTENSION)
"""The extensions of the files that are read, with their dot, in lower case."""

_DEFAULT_LIMITS: Final = ParseLimits()


def parse(
    data: bytes, name: str, media_type: str | None = None, limits: ParseLimits = _DEFAULT_LIMITS
) -> Parsed:
    """The canonical text of a file, with its pages, headings and title.

    The kind is told by the content, then by `name` and `media_type`. Raises UnsupportedMedia,
    EncryptedDocument, DamagedDocument, EmptyDocument or TooLarge; for no bytes anything else
    but MemoryError.
    """
    if not data.strip(b"\t\n\r\f \0"):
        raise EmptyDocument(f"{name} is empty: {len(data)} bytes, none of them text.")
    try:
        file = detect(data, name, media_type)
        parsed = _PARSERS[file.kind](file, limits)
    except (IngestError, MemoryError):
        raise
    except Exception as error:
        raise DamagedDocument(
            f"{name} can't be read ({type(error).__name__}: {error}): open it in the program "
            "that made it, and save it again."
        ) from error
    hidden = told([Hidden(one, "tag characters") for one in tagged(data)])
    warnings = file.warnings + parsed.warnings + hidden
    return _checked(replace(parsed, warnings=warnings), name, limits)


def _checked(parsed: Parsed, name: str, limits: ParseLimits) -> Parsed:
    if not parsed.text.strip():
        raise EmptyDocument(f"{name} was read as {parsed.media_type}, but has no text in it.")
    if len(parsed.text) > limits.characters:
        raise TooLarge(
            f"{name} has {len(parsed.text):,} characters; the limit is {limits.characters:,}. "
            "Split it, or raise the limit."
        )
    return parsed


def _eml(file: RawFile, limits: ParseLimits) -> Parsed:
    return parse_eml(file, limits, parse)


def _msg(file: RawFile, limits: ParseLimits) -> Parsed:
    return parse_msg(file, limits, parse)


_PARSERS: Final[Mapping[Kind, Callable[[RawFile, ParseLimits], Parsed]]] = {
    Kind.PLAIN: parse_plain,
    Kind.MARKDOWN: parse_markdown,
    Kind.HTML: parse_html,
    Kind.PDF: parse_pdf,
    Kind.DOCX: parse_docx,
    Kind.PPTX: parse_pptx,
    Kind.XLSX: parse_xlsx,
    Kind.XLS: parse_xls,
    Kind.ODT: parse_odt,
    Kind.EPUB: parse_epub,
    Kind.CSV: parse_csv,
    Kind.JSON: parse_json,
    Kind.EML: _eml,
    Kind.MSG: _msg,
    Kind.CODE: parse_code,
    Kind.IMAGE: parse_image,
}
