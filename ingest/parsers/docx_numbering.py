"""The numbers that Word shows before list items and headings, which are not in the text.

ECMA-376 part 1, 17.9: an abstract list has levels with a format ("%1.%2") and a start; the
numbers of a level begin again after an item of a higher one.
"""

import re
from dataclasses import dataclass
from typing import Final

from ingest.parsers.docx_package import W
from ingest.parsers.docx_styles import Numbering, value
from ingest.parsers.markup import Element

_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_DEEPEST: Final = 9


@dataclass(frozen=True, slots=True)
class _Level:
    form: str
    text: str
    start: int


class Numberer:
    """Counts list items in the order of the document and gives each the marker it shows."""

    def __init__(self, root: Element | None) -> None:
        abstract = (
            {}
            if root is None
            else {
                each.get(f"{W}abstractNumId", ""): _levels(each)
                for each in root.iter(f"{W}abstractNum")
            }
        )
        lists = () if root is None else root.iter(f"{W}num")
        self._abstract_of = {
            each.get(f"{W}numId", ""): value(each, f"{W}abstractNumId") for each in lists
        }
        self._levels = abstract
        self._counts: dict[str, dict[int, int]] = {}

    def marker(self, place: Numbering) -> str:
        """What stands before an item: "- " for bullets, "3.1 " or "(b) " for numbers, or ""."""
        if place.list_id == "0" or place.depth >= _DEEPEST:
            return ""
        abstract = self._abstract_of.get(place.list_id, "")
        levels = self._levels.get(abstract, {})
        level = levels.get(place.depth)
        if level is None or level.form == "bullet":
            return "  " * place.depth + "- "
        counts = self._counts.setdefault(abstract, {})
        counts[place.depth] = counts.get(place.depth, level.start - 1) + 1
        for deeper in [depth for depth in counts if depth > place.depth]:
            del counts[deeper]
        return _shown(level, levels, counts)


def _levels(abstract: Element) -> dict[int, _Level]:
    levels = {}
    for element in abstract.iter(f"{W}lvl"):
        start = value(element, f"{W}start", "1")
        levels[int(element.get(f"{W}ilvl", "0"))] = _Level(
            value(element, f"{W}numFmt", "decimal"),
            value(element, f"{W}lvlText"),
            int(start) if start.isdecimal() else 1,
        )
    return levels


def _shown(level: _Level, levels: dict[int, _Level], counts: dict[int, int]) -> str:
    """A level's pattern with the numbers of the levels it names."""

    def number(match: re.Match[str]) -> str:
        depth = int(match[1]) - 1
        named = levels.get(depth, level)
        return _written(counts.get(depth, named.start), named.form)

    text = re.sub(r"%([1-9])", number, level.text).strip()
    return f"{text} " if text else ""


def _written(number: int, form: str) -> str:
    """`number` as a list format writes it; a format not known here is written in digits."""
    if form in ("lowerLetter", "upperLetter"):
        letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
        return letters.upper() if form == "upperLetter" else letters
    if form in ("lowerRoman", "upperRoman"):
        roman = _roman(number)
        return roman.upper() if form == "upperRoman" else roman
    if form == "none":
        return ""
    return f"{number:02d}" if form == "decimalZero" else str(number)


def _roman(number: int) -> str:
    written = ""
    for worth, letters in _ROMAN:
        times, number = divmod(number, worth)
        written += letters * times
    return written
