"""Cutting a span that is too long, at the pause nearest its middle."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import chain

from retrieval.sentences import Span

# The better pauses first: between lines, clauses, words.
_PAUSES = (
    re.compile(r"\n+"),
    re.compile(r"[;:；：。！？]\s*|(?<=[,，、])\s*"),
    re.compile(r"\s+"),
)
_JOINERS = "\u200d\ufe0e\ufe0f"


def split(text: str, span: Span, fits: Callable[[str], bool]) -> Iterator[Span]:
    """Parts of a span, in order, that each fit; together they hold all but white space.

    A part of one character is given out whether it fits or not.
    """
    start, end = span
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return
    middle = _middle(text, start, end)
    if middle is None or fits(text[start:end]):
        yield Span(start, end)
        return
    yield from split(text, Span(start, middle), fits)
    yield from split(text, Span(middle, end), fits)


def _middle(text: str, start: int, end: int) -> int | None:
    """Where to cut: a pause in the middle half, else any place that parts no character."""
    quarter = (end - start) // 4
    center = (start + end) // 2
    for pause in _PAUSES:
        places = [m.end() for m in pause.finditer(text, start + quarter, end - quarter)]
        if places:
            return min(places, key=lambda place: abs(place - center))
    for place in chain(range(center, end), range(center, start, -1)):
        if start < place and not _continues(text, place):
            return place
    return None


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to the one before: an accent, a joined emoji."""
    return (
        unicodedata.category(text[at]).startswith("M")
        or text[at] in _JOINERS
        or text[at - 1] == "\u200d"
    )
