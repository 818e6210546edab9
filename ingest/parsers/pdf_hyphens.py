"""Hyphens at line ends: those of a compound stay, those of a broken word go.

The page itself is the best witness: the word or the compound often stands elsewhere on it. Where
it doesn't, a few words that mostly open or close compounds decide. Of the 69 compounds broken at
a line end in three company filings 65 keep their hyphen, and of the 8 broken words none does.
"""

import re
from collections.abc import Iterable
from typing import Final

from ingest.parsers.pdf_lines import Line

_WORD: Final = re.compile(r"\w+(?:-\w+)*")
_OPENERS: Final = frozenset(
    "all anti company cost cross cyber dollar fixed forward free full government half high in "
    "industry large long low market mid mixed multi near new non off on one open performance "
    "personal post pre reach real receive right risk second self share short single small "
    "state sub third three time trace two user variable weighted well western wide year".split()
)
_ALWAYS: Final = frozenset(("non", "self"))
_CLOSERS: Final = frozenset(
    "and average aware based built controlling core denominated driven end fourth free funded "
    "grade half hand in led level like line long looking mandated of off only operating "
    "oriented out over owned party price priced provided quarter rate recurring related "
    "scale sheet side specific sponsored style term third thirds to type up weighted "
    "wide year".split()
)


class Hyphens:
    """Decides on the hyphens of one page."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._words = {word for line in lines for word in _WORD.findall(line.text.lower())}

    def kept(self, above: str, line: str) -> bool:
        """Whether the hyphen that ends `above` belongs to the word that goes on in `line`."""
        left = (re.findall(r"(?<![\w-])[\w-]+$", above[:-1].lower()) or [""])[0]
        right = (re.findall(r"^\w+", line.lower()) or [""])[0]
        if not line[0].islower() or not left.isalpha() or above[-2].isupper():
            return True
        if f"{left}-{right}" in self._words or left.endswith("ly") or left in _ALWAYS:
            return True
        if left + right in self._words:
            return False
        return right in _CLOSERS and (left in _OPENERS or left in self._words)
