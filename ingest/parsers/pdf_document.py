"""Opens a PDF, or a page of it, with pdfium, and says in our words why one doesn't open."""

from collections.abc import Iterator
from contextlib import contextmanager

import pypdfium2
import pypdfium2.raw as pdfium

from ingest.errors import DamagedDocument, EncryptedDocument


@contextmanager
def open_pdf(data: bytes, name: str) -> Iterator[pypdfium2.PdfDocument]:
    """The open document; a file protected by an owner's password only opens like any other.

    Raises EncryptedDocument where a password is needed, DamagedDocument where pdfium can't read
    the file. pdfium isn't thread-safe: one process, one thread.
    """
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise EncryptedDocument(
                f"{name} is encrypted: open it with its password and save it without one."
            ) from error
        raise DamagedDocument(
            f"{name} is a damaged PDF ({error}): print it to a new PDF and add that."
        ) from error
    try:
        yield document
    finally:
        document.close()


@contextmanager
def open_page(data: bytes, name: str, number: int) -> Iterator[pypdfium2.PdfPage]:
    """An open page, counted from 1; its document is `page.pdf`.

    Raises what `open_pdf` does, and DamagedDocument for all that pdfium can't do with the page.
    """
    with open_pdf(data, name) as document:
        try:
            page = document[number - 1]
            try:
                yield page
            finally:
                page.close()
        except pypdfium2.PdfiumError as error:
            raise DamagedDocument(
                f"Page {number} of {name} can't be read ({error}): print it to a new PDF and "
                "add that."
            ) from error
