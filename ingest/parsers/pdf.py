"""PDF: the reflowed text of each page, page labels, and headings from the outline."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.errors import DamagedDocument, EmptyDocument, TooLarge
from ingest.parsers import ocr
from ingest.parsers.detection import RawFile
from ingest.parsers.hidden import Hidden, told
from ingest.parsers.pdf_document import open_pdf
from ingest.parsers.pdf_outline import outline_headings
from ingest.parsers.pdf_reflow import reflow
from ingest.parsers.pdf_running import PageLines
from ingest.parsers.pdf_second import read_with_pypdf
from ingest.types import Parsed, ParseLimits
from retrieval.types import Page

_SEPARATOR: Final = "\n\n"
_PICTURE: Final = pdfium.FPDF_PAGEOBJ_IMAGE
_DPI: Final = 200  # at which a page is recognised
_MOST_PIXELS: Final = 4_000  # along its longer side
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
    unseen: list[Hidden] = []
    characters = recognised = 0
    lines = PageLines(document)
    for index in range(count):
        try:
            texts.append(reflow(lines.body(index)).text)
            where = f"page {index + 1}"
            unseen += [replace(one, where=where) for one in lines.hidden(index)]
        except pypdfium2.PdfiumError:
            texts.append("")
            unread.append(str(index + 1))
        if not texts[-1] and ocr.AVAILABLE and str(index + 1) not in unread:
            texts[-1] = _recognised(document, index)
            recognised += bool(texts[-1])
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
            f"images, {'with no text in them' if ocr.AVAILABLE else ocr.ADVICE}."
        )
    labels = [document.get_page_label(index) or str(index + 1) for index in range(count)]
    text, pages = _joined(texts, labels)
    warnings = [*told(unseen)]
    if unread:
        warnings.append(f"Pages of {file.name} that can't be read: {', '.join(unread)}.")
    if recognised:
        warnings.append(f"{recognised} scanned pages were recognised (OCR): they may have errors.")
    return Parsed(
        text,
        file.kind.value,
        title=_title(document),
        pages=pages,
        headings=outline_headings(document, text, pages),
        warnings=tuple(warnings),
    )


def _check_pages(count: int, file: RawFile, limits: ParseLimits) -> None:
    if count > limits.pages:
        raise TooLarge(
            f"{file.name} has more than {limits.pages:,} pages, which is the limit. "
            "Split it, or raise the limit."
        )


def _recognised(document: pypdfium2.PdfDocument, index: int) -> str:
    """The text in the picture that a page is; nothing where it is blank."""
    page = document[index]
    try:
        if not any(True for _ in page.get_objects(filter=[_PICTURE], max_depth=5)):
            return ""
        longest = max(page.get_size())
        scale = min(_DPI / 72, _MOST_PIXELS / max(longest, 1))
        return ocr.recognise(page.render(scale=scale, rev_byteorder=False).to_numpy()[:, :, :3])
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
