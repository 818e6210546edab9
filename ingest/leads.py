"""The first lines of pages, which often name what stands below: a statement, a table, a topic.

A table that fills a page is cut into chunks of numbers, of which only the first has the name of
the table in it. The others get it as context.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence

from retrieval.sentences import Span
from retrieval.types import Document, Page

_LONGEST = 90  # code points of a line that names something
_LETTERS = 2  # that it has, at least
_GOES_ON = ".,;:!?…。，；：！？、"  # what ends a line that is part of a text


class Leads:
    """Those of a document, none of more than `budget` tokens."""

    def __init__(
        self, document: Document, budget: int, count_tokens: Callable[[Sequence[str]], list[int]]
    ) -> None:
        self._text = document.text
        self._starts = [page.start for page in document.pages]
        self._spans = [_lead(document.text, page) for page in document.pages]
        named = [at for at, span in enumerate(self._spans) if span]
        counts = count_tokens([self._words(at) for at in named]) if named else []
        self._tokens = dict(zip(named, counts, strict=True))
        for at, count in self._tokens.items():
            if count > budget:
                self._spans[at] = None

    def most(self, section: Span) -> int:
        """The most tokens that a lead adds to the context of a chunk in a section."""
        first, last = self._page_at(section.start), self._page_at(section.end)
        inside = range(max(first, 0), last + 1)
        return max((self._tokens[at] for at in inside if self._spans[at]), default=0)

    def joined(self, context: str, chunk: Span) -> str:
        """A context with the lead of the page that a chunk begins on, unless either has it."""
        at = self._page_at(chunk.start)
        lead = self._spans[at] if at >= 0 else None
        if lead is None or chunk.start <= lead.start:
            return context
        words = self._words(at)
        if words in context:
            return context
        return " > ".join(filter(None, [context.rstrip("\n"), words])) + "\n"

    def _page_at(self, position: int) -> int:
        """The number of a page in the list; -1 before the first."""
        return bisect_right(self._starts, position) - 1

    def _words(self, at: int) -> str:
        span = self._spans[at]
        return " ".join(self._text[span.start : span.end].split()) if span else ""


def _lead(text: str, page: Page) -> Span | None:
    """The first line of a page, if it may name something: short, of words, no row of a table and
    no part of a sentence.
    """
    start = page.start
    while start < page.end and text[start].isspace():
        start += 1
    end = text.find("\n", start, page.end)
    line = text[start : end if end >= 0 else page.end].rstrip()
    letters = sum(character.isalpha() for character in line)
    named = (
        len(line) <= _LONGEST
        and letters >= _LETTERS
        and " | " not in line
        and line[-1] not in _GOES_ON
        and not line[0].islower()
    )
    return Span(start, start + len(line)) if named else None
