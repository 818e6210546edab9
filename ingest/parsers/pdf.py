"""PDF: the reflowed text of each page, page labels, and headings from the outline."""

import re
from collections.abc import Sequence
from typing import Final

import pypdfium2

from ingest.errors import DamagedDocument, EmptyDocument, TooLarge
from ingest.parsers.detection import RawFile
from ingest.parsers.pdf_document import open_pdf
from ingest.parsers.pdf_lines import read_lines
from ingest.parsers.pdf_outline import outline_headings
from ingest.parsers.pdf_reflow import reflow
from ingest.parsers.pdf_second import read_with_pypdf
from ingest.types import Parsed, ParseLimits
from retrieval.types import Page

_SEPARATOR: Final = "\n\n"
_NO_TITLE: Final = re.compile(
    r"(?:untitled|microsoft (?:word|powerpoint|excel)\b|powerpoint presentation|.*\.\w{2,4}$|\W*$"
    r"|[\W\d_]*$)",
    re.IGNORECASE,
)
"""Titles that a program wrote, not a person: file names, numbers, "Microsoft Word - x"."""


def parse_pdf(file: RawFile, limits: ParseLimits) -> Parsed:
    """The text of a PDF, page after page; pypdf reads what pdfium can't open.

    Raises EncryptedDocument, DamagedDocument, TooLarge, and EmptyDocument for scanned pages.
    """
    try:
        with open_pdf(file.data, file.name) as document:
            return _read(document, file, limits)
    except DamagedDocument as error:
        texts = read_with_pypdf(file.data, limits.pages)
        if not any(texts):
            raise
        _check_pages(len(texts), file, limits)
        text, pages = _joined(texts, [str(number + 1) for number in range(len(texts))])
        warning = f"pdfium can't open {file.name} ({error.__cause__}); pypdf read it instead."
        return Parsed(text, file.kind.value, pages=pages, warnings=(warning,))


def _read(document: pypdfium2.PdfDocument, file: RawFile, limits: ParseLimits) -> Parsed:
    count = len(document)
    _check_pages(count, file, limits)
    texts: list[str] = []
    unread: list[str] = []
    characters = 0
    for index in range(count):
        try:
            texts.append(page_text(document, index))
        except pypdfium2.PdfiumError:
            texts.append("")
            unread.append(str(index + 1))
        characters += len(texts[-1])
        if characters > limits.characters:
            raise TooLarge(
                f"{file.name} has more than {limits.characters:,} characters by page {index + 1}. "
                "Split it, or raise the limit."
            )
    if count and len(unread) == count:
        raise DamagedDocument(f"{file.name} is a damaged PDF: none of its pages can be read.")
    if not any(texts):
        raise EmptyDocument(
            f"{file.name} has no text on any page ({count} in all): it appears to be scanned "
            "images, and text recognition (OCR) isn't available in this version. "
            "Run it through OCR first."
        )
    labels = [document.get_page_label(index) or str(index + 1) for index in range(count)]
    text, pages = _joined(texts, labels)
    warning = f"Pages of {file.name} that can't be read: {', '.join(unread)}."
    return Parsed(
        text,
        file.kind.value,
        title=_title(document),
        pages=pages,
        headings=outline_headings(document, text, pages),
        warnings=(warning,) if unread else (),
    )


def _check_pages(count: int, file: RawFile, limits: ParseLimits) -> None:
    if count > limits.pages:
        raise TooLarge(
            f"{file.name} has more than {limits.pages:,} pages, which is the limit. "
            "Split it, or raise the limit."
        )


def page_text(document: pypdfium2.PdfDocument, index: int) -> str:
    """The canonical text of one page. Raises PdfiumError for a page that can't be loaded."""
    page = document[index]
    try:
        return reflow(read_lines(page)).text
    finally:
        page.close()


def _joined(texts: Sequence[str], labels: Sequence[str]) -> tuple[str, tuple[Page, ...]]:
    """One text of all pages, and their spans; the blank line after a page belongs to it."""
    last = max((index for index, text in enumerate(texts) if text), default=-1)
    pages = []
    parts = []
    position = 0
    for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
        part = text + _SEPARATOR if text and index != last else text
        pages.append(Page(index + 1, position, position + len(part), label))
        parts.append(part)
        position += len(part)
    return "".join(parts), tuple(pages)


def _title(document: pypdfium2.PdfDocument) -> str | None:
    """The title in the metadata, if a person gave it."""
    title = " ".join(document.get_metadata_value("Title").split())
    return None if len(title) < 3 or _NO_TITLE.match(title) else title
