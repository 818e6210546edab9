"""Headings of a PDF: the entries of its outline, found in the text of the pages they lead to."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import pypdfium2

from ingest.parsers.characters import canonical
from retrieval.types import Heading, Page

_NUMBER: Final = re.compile(
    r"^(?:(?:chapter|section|part|appendix|item|article)\s+)?"
    r"(?:\d+(?:[.-]\d+)*|[IVXLC]+|[A-Z])[.):]?\s+(?=\S)",
    re.IGNORECASE,
)
_OPENING: Final = (
    r"(?:(?:chapter|section|part|appendix|item|article) \w+|(?-i:[^a-z\n]{0,30}))[:.)–—-]? "
)
_QUOTES: Final = re.compile("[\"'“”‘’]")


def outline_headings(
    document: pypdfium2.PdfDocument, text: str, pages: Sequence[Page]
) -> tuple[Heading, ...]:
    """The outline's headings as spans, in reading order.

    An entry whose title doesn't start a line of its page is left out: better no anchor than one
    in the wrong place.
    """
    headings: list[Heading] = []
    entries = (entry for entry in _entries(document) if entry[2] < len(pages))
    for title, level, number in sorted(entries, key=lambda entry: entry[2]):
        page = pages[number]
        start = max(page.start, headings[-1].end if headings else 0)
        found = _pattern(title).search(text, start, page.end) if start < page.end else None
        if found:
            headings.append(Heading(found.start(1), found.end(1), level))
    return tuple(headings)


def _entries(document: pypdfium2.PdfDocument) -> Iterator[tuple[str, int, int]]:
    """The title, level (from 1) and page (from 0) of each entry that leads to a page."""
    for bookmark in document.get_toc():
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        title = canonical(bookmark.get_title()).strip()
        if page is not None and any(character.isalnum() for character in title):
            yield title, bookmark.level + 1, page


def _pattern(title: str) -> re.Pattern[str]:
    """Finds a title that is a line, or starts one, whatever its case, spacing and quotes.

    A whole line may open with a number of its own: "CHAPTER ONE: Creators" for "1: Creators".
    """
    words = _NUMBER.sub("", title, count=1).split()
    spaced = r"\s+".join(_QUOTES.sub(r"[\"'“”‘’]", re.escape(word)) for word in words)
    return re.compile(
        rf"^((?:{_OPENING})?{spaced}(?=\s*$)|{spaced}(?!\w))",
        re.IGNORECASE | re.MULTILINE,
    )
