"""Where a span of a set's text is in the text as it was stored, which spells some things otherwise.

Reading a text changes white space, and how some characters are written, and nothing else; so the
n-th visible character of one is that of the other.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.errors import DatasetError
from evaluation.span_metrics import Span
from ingest.parsers.characters import canonical


@dataclass(frozen=True, slots=True)
class Alignment:
    """For each visible character its place in the text that was given, and in the stored one."""

    given: Sequence[int]
    stored: Sequence[int]

    @classmethod
    def of(cls, name: str, given: str, stored: str) -> "Alignment":
        """Raises DatasetError where the two texts differ in more than that."""
        spelled = [(at, letter) for at, one in enumerate(given) for letter in _visible(one)]
        kept = [(at, letter) for at, letter in enumerate(stored) if not letter.isspace()]
        if [letter for _, letter in spelled] != [letter for _, letter in kept]:
            raise DatasetError(
                f"The text of {name!r} isn't stored as it was given, so its spans can't be placed."
            )
        return cls([at for at, _ in spelled], [at for at, _ in kept])

    def place(self, span: Span) -> Span:
        """The span in the stored text, without white space at its ends."""
        first, end = bisect_left(self.given, span.start), bisect_left(self.given, span.end)
        if first == end:
            return Span(span.document, 0, 0)  # nothing but white space
        return Span(span.document, self.stored[first], self.stored[end - 1] + 1)


def _visible(character: str) -> str:
    return "".join(one for one in canonical(character) if not one.isspace())
