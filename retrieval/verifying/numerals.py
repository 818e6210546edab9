"""Numbers as people write them: 1,234.5, １２, twenty-four, 3.2 million, 二十四, 1.2亿, 百分之五.

Each is a value and the span that says it, so that two texts can be compared by what they say.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text: its value, and the code points that write it. "one", "first" and "一" are
    doubtful: what they count tells whether they are numbers.
    """

    value: Decimal
    start: int
    end: int
    is_doubtful: bool = False


_SCALES = {
    "hundred": 100,
    "thousand": 1_000,
    "million": 1_000_000,
    "billion": 1_000_000_000,
    "bn": 1_000_000_000,
    "trillion": 1_000_000_000_000,
    "dozen": 12,
}
_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
} | {
    word: 10 * value
    for value, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(),
        start=1,
    )
}
_CN_DIGITS = {c: v for v, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CN_UNITS = {"十": 10, "百": 100, "千": 1_000}
_CN_SCALES = {"万": 10_000, "亿": 100_000_000}

_DIGITS = r"\d{1,3}(?:,\d{3}){1,9}(?:\.\d+)?|\d{1,40}(?:\.\d{1,40})?|\.\d{1,40}"
_SCALE = "|".join(_SCALES)
_COUNT = "|".join(sorted([*_WORDS, *_SCALES], key=len, reverse=True))
_ORDINAL = "|".join(_ORDINALS)
_THOUSAND = "千(?![克米瓦卡伏])"  # which begins a unit before these
_PRONOUNS = ("one", "一", "first")
_NUMERAL = re.compile(
    rf"(?:(?P<minus>(?<![\w.,)%\]])(?<!\d\s)[-\u2212\u2013](?=\.?\d)|\bminus\s|[零地]下|负))?(?P<digits>{_DIGITS})"
    rf"(?:(?:\s|-)?(?P<scale>{_SCALE})s?\b|(?P<cn_scale>(?:[十百万亿]|{_THOUSAND}){{1,4}}))?"
    rf"|\b(?P<words>(?:(?:{_COUNT})(?:(?<=undred|ousand|illion)\s+and\s+|[\s-])){{0,9}}"
    rf"(?:{_COUNT}|{_ORDINAL}))\b"
    rf"|(?P<cn>(?:[零〇一二两三四五六七八九十百万亿]|{_THOUSAND}){{1,20}}"
    rf"(?:点[零〇一二三四五六七八九]{{1,20}})?)",
    re.IGNORECASE | re.ASCII,
)


def numerals(text: str) -> list[Numeral]:
    """The numbers of a text in their order. Full-width digits are read as others."""
    return [one for one in possible_numerals(text) if not one.is_doubtful]


def possible_numerals(text: str) -> list[Numeral]:
    """The doubtful ones too."""
    return list(_found(_same_length(text)))


def _found(text: str) -> Iterator[Numeral]:
    for found in _NUMERAL.finditer(text):
        value = _value(found)
        if value is not None:
            yield Numeral(value, *found.span(), found[0].lower() in _PRONOUNS)


def _value(found: re.Match[str]) -> Decimal | None:
    if digits := found["digits"]:
        value = Decimal(digits.replace(",", ""))
        if scale := found["scale"]:
            value *= _SCALES[scale.lower()]
        for unit in found["cn_scale"] or "":
            value *= (_CN_UNITS | _CN_SCALES)[unit]
        return -value if found["minus"] else value
    if words := found["words"]:
        return _of_words(re.split(r"[\s-]+", words.lower()))
    return _of_chinese(found["cn"])


def _of_words(words: list[str]) -> Decimal | None:
    """Of "two hundred and fifty-one thousand"; None of a scale alone ("millions of")."""
    total = current = 0
    said = False
    for word in words:
        if word in _WORDS or word in _ORDINALS:
            current += _WORDS.get(word, _ORDINALS.get(word, 0))
            said = True
        elif word in ("hundred", "dozen"):
            current = max(1, current) * _SCALES[word]
            said = said or word == "dozen"
        elif word in _SCALES:
            total += max(1, current) * _SCALES[word]
            current = 0
    return Decimal(total + current) if said else None


def _of_chinese(text: str) -> Decimal | None:
    """Of 二百五十一万, 二〇二五 (digit by digit) or 三点一四; None of a unit alone (千, 万)."""
    whole, _, fraction = text.partition("点")
    if not any(character in _CN_DIGITS for character in whole) and whole[:1] != "十":
        return None
    if all(character in _CN_DIGITS for character in whole):
        number = "".join(str(_CN_DIGITS[character]) for character in whole)
    else:
        number = str(_counted(whole))
    if fraction:
        number += "." + "".join(str(_CN_DIGITS[character]) for character in fraction)
    return Decimal(number)


def _counted(text: str) -> int:
    total = section = digit = 0
    for character in text:
        if character in _CN_DIGITS:
            digit = _CN_DIGITS[character]
        elif character in _CN_UNITS:
            section += (digit or 1) * _CN_UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * _CN_SCALES[character]
            section = digit = 0
    return total + section + digit


def _same_length(text: str) -> str:
    """With full-width characters as others, each still one code point; not raised or lowered ones,
    which are exponents, marks of notes or parts of formulas.
    """
    return "".join(
        unicodedata.normalize("NFKC", character)
        if unicodedata.decomposition(character).startswith("<wide>")
        else character
        for character in text
    )
