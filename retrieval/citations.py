"""Footnotes: a citation is made from the document's text, never from what somebody claims."""

from bisect import bisect_right
from collections.abc import Sequence

from retrieval.types import Citation, Document, Page


def cite(document: Document, start: int, end: int, marker: int, support: float) -> Citation:
    """The citation of `document.text[start:end]`.

    Its quote is cut from the document's own text here, so slicing that text by the citation's
    offsets gives the quote, code point for code point. Raises ValueError for a span that isn't
    inside the text.
    """
    if not 0 <= start < end <= len(document.text):
        raise ValueError(f"{start} to {end} is no span of a text of {len(document.text)}.")
    return Citation(
        marker=marker,
        document_id=document.id,
        version=document.version,
        uri=document.uri,
        title=document.title,
        start=start,
        end=end,
        quote=document.text[start:end],
        page=page_label(document.pages, start),
        verified=True,
        support=support,
    )


def page_at(pages: Sequence[Page], offset: int) -> Page | None:
    """The page that holds an offset; None where there are no pages."""
    at = bisect_right([page.start for page in pages], offset) - 1
    return pages[at] if at >= 0 else None


def page_label(pages: Sequence[Page], offset: int) -> str | None:
    """The label of the page that holds an offset."""
    page = page_at(pages, offset)
    return page.label if page else None


def place(label: str | None, page: str = "page") -> str:
    """How the label of a page is said after a title: ", page 12", ", slide 3", or nothing."""
    if not label:
        return ""
    return f", {label}" if " " in label else f", {page} {label}"
