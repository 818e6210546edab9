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

    A part of one code point is given out whether it fits or not.
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
    """Where to cut: a pause in the middle half, else a place that parts no character, if any."""
    quarter = (end - start) // 4
    center = (start + end) // 2
    for pause in _PAUSES:
        ends = (m.end() for m in pause.finditer(text, start + quarter, end - quarter))
        places = [place for place in ends if start < place < end]
        if places:
            return min(places, key=lambda place: abs(place - center))
    for place in chain(range(center, end), range(center, start, -1)):
        if start < place and not _continues(text, place):
            return place
    return center if start < center else None  # within one character, of many code points


def _continues(text: str, at: int) -> bool:
    """Whether the code point at `at` belongs to the one before: an accent, a joined emoji."""
    return (
        unicodedata.category(text[at]).startswith("M")
        or text[at] in _JOINERS
        or text[at - 1] == "\u200d"
    )
