"""True sentences made false in one place: by these a verifier is measured.

Each kind changes one thing, by a seed: a number, a part of a date, a unit, a name, whether the
sentence denies, or the passage that it is held against.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

from retrieval.question import is_chinese
from retrieval.verifying.facts import denies
from retrieval.verifying.numerals import Numeral, numerals
from retrieval.verifying.quantities import MONTH, MONTHS


class Corruption(StrEnum):
    """What is changed."""

    NUMBER = "number"
    DATE = "date"
    UNIT = "unit"
    NAME = "name"
    NEGATION = "negation"
    PASSAGE = "passage"


_YEAR = re.compile(r"(?<![\d.,])(?:1\d{3}|20\d{2})(?![\d.,]*\d)(?!\s?(?:km|kg|m|米|人|元|个))")
_CN_DATE = re.compile(r"(?<![\d.])(\d{1,2})(?=[月日号])")
_UNITS: tuple[tuple[str, ...], ...] = (
    ("kilometres", "metres", "miles", "feet"),
    ("kilometers", "meters", "miles", "feet"),
    ("km", "m", "cm", "mm"),
    ("kg", "g", "mg"),
    ("kilograms", "grams", "tonnes"),
    ("hours", "minutes", "seconds", "days", "weeks", "months", "years"),
    ("dollars", "euros", "pounds"),
    ("percent", "kilometres"),
    ("%", " km"),
    ("million", "billion", "thousand"),
    ("公里", "米", "厘米"),
    ("平方公里", "公顷", "平方米"),
    ("公斤", "克", "吨"),
    ("小时", "分钟", "天"),
    ("个月", "年", "周"),
    ("美元", "日元", "欧元"),
    ("万", "亿"),
)
_UNIT_AFTER = re.compile(
    r"(?<=\d)(\s?)("
    + "|".join(sorted({re.escape(u) for group in _UNITS for u in group}, key=len, reverse=True))
    + r")(?![a-zA-Z])"
)
_NAMED = re.compile(r"(?<![.!?:;•]\s)(?<!^)\b[A-Z][a-z]{2,}(?:\s[A-Z][a-z]{2,})*\b")
_QUOTED = re.compile(r"(?<=[《「])[^》」]{2,20}(?=[》」])|(?<=[\u4e00-\u9fff])[A-Z][A-Za-z]{2,}")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|should|must|did|does|do)\b"
)
_NOT = re.compile(r"\s(?:not|never)\b|(?<=\w)n['’]t\b")
_CN_VERB = re.compile(
    r"(?<![不没])(?=是|能|会|可以|属于|包括|位于)|(?<![不没])(?=有(?!关|限|时|效|些|名|人))"
)
_CN_NOT = re.compile(r"不(?=是|能|会|可以|属于|包括|需)|没(?=有)")


def corrupted(
    sentence: str, kind: Corruption, others: Sequence[str], chance: random.Random
) -> str | None:
    """The sentence with one thing of that kind changed; None where it has none. `others` are the
    names that may stand in the place of one of its own.
    """
    return _MAKERS[kind](sentence, others, chance)


def names(text: str) -> list[str]:
    """The names of a text, as they may stand in the place of others."""
    return [found[0] for pattern in (_NAMED, _QUOTED) for found in pattern.finditer(text)]


def _number(sentence: str, _others: Sequence[str], chance: random.Random) -> str | None:
    dates = [found.span() for found in (*_YEAR.finditer(sentence), *_CN_DATE.finditer(sentence))]
    able = [
        one
        for one in numerals(sentence)
        if re.search(r"[0-9]", sentence[one.start : one.end])
        and not any(start < one.end and one.start < end for start, end in dates)
        and sentence[one.end : one.end + 1] not in ("年", "月", "日", "号")
    ]
    return _digits_changed(sentence, able, chance)


def _digits_changed(sentence: str, able: Sequence[Numeral], chance: random.Random) -> str | None:
    if not able:
        return None
    one = chance.choice(able)
    places = [at for at in range(one.start, one.end) if sentence[at] in "0123456789"]
    at = places[0] if len(places) < 3 else chance.choice(places[:3])
    digit = chance.choice([d for d in "123456789" if d != sentence[at]])
    return sentence[:at] + digit + sentence[at + 1 :]


def _date(sentence: str, _others: Sequence[str], chance: random.Random) -> str | None:
    found = [
        *_YEAR.finditer(sentence),
        *MONTH.finditer(sentence),
        *_CN_DATE.finditer(sentence),
    ]
    if not found:
        return None
    one = chance.choice(found)
    if one[0] in MONTHS:
        other = chance.choice([month for month in MONTHS if month != one[0]])
    elif len(one[0]) == 4:
        other = str(int(one[0]) + chance.choice([-20, -7, -3, -2, -1, 1, 2, 3, 7, 20]))
    else:
        other = str(chance.choice([n for n in range(1, 13) if n != int(one[0])]))
    return sentence[: one.start()] + other + sentence[one.end() :]


def _unit(sentence: str, _others: Sequence[str], chance: random.Random) -> str | None:
    found = list(_UNIT_AFTER.finditer(sentence))
    if not found:
        return None
    one = chance.choice(found)
    groups = [group for group in _UNITS if one[2] in group or one[0] in group]
    able = [unit for group in groups for unit in group if unit not in (one[2], one[0])]
    if not able:
        return None
    return sentence[: one.start(2)] + chance.choice(able) + sentence[one.end() :]


def _name(sentence: str, others: Sequence[str], chance: random.Random) -> str | None:
    found = [
        one
        for pattern in (_NAMED, _QUOTED)
        for one in pattern.finditer(sentence)
        if one[0] not in MONTHS
    ]
    able = [name for name in others if name not in sentence]
    if not found or not able:
        return None
    one = chance.choice(found)
    return sentence[: one.start()] + chance.choice(able) + sentence[one.end() :]


def _negation(sentence: str, _others: Sequence[str], chance: random.Random) -> str | None:
    chinese = is_chinese(sentence)
    if denies(sentence):
        made = (_CN_NOT if chinese else _NOT).sub("", sentence, count=1)
        return made if made != sentence else None
    places = [one.end() for one in (_CN_VERB if chinese else _AUXILIARY).finditer(sentence)]
    if not places:
        return None
    at = chance.choice(places)
    word = ("没" if sentence[at : at + 1] == "有" else "不") if chinese else " not"
    return sentence[:at] + word + sentence[at:]


def _passage(sentence: str, _others: Sequence[str], _chance: random.Random) -> str | None:
    return sentence


_MAKERS: Mapping[Corruption, Callable[[str, Sequence[str], random.Random], str | None]] = {
    Corruption.NUMBER: _number,
    Corruption.DATE: _date,
    Corruption.UNIT: _unit,
    Corruption.NAME: _name,
    Corruption.NEGATION: _negation,
    Corruption.PASSAGE: _passage,
}
