"""Quantities: a number and what it counts, on one scale for all units of a kind.

1,500 m = 1.5 km    twenty-four months = 2 years    百分之五 = 5 %    2025年3月 = March 2025
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from retrieval.verifying.numerals import Numeral, possible_numerals


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value on the scale of its kind, the number as it is written, and the code points that say
    both; `kind` is empty where what is counted isn't a unit. A date is a year, a month and a day of
    the calendar, each a quantity.
    """

    value: Decimal
    kind: str
    number: Decimal
    start: int
    end: int

    def agrees_with(self, other: "Quantity") -> bool:
        """Whether the two may say the same: a number alone does, whatever it counts elsewhere."""
        if self.kind and other.kind:
            return self.kind == other.kind and self.value == other.value
        return self.number == other.number

    @property
    def is_date(self) -> bool:
        """Whether it is a part of a date, by its unit or as a number alone by its size."""
        of_a_year = not self.kind and _LEAST_YEAR <= self.number <= _MOST_YEAR
        return self.kind in ("year", "month", "day") or of_a_year


_UNITS: dict[str, tuple[tuple[str, str], ...]] = {
    "length": (
        ("0.001", "mm|millimet(?:er|re)s?|毫米"),
        ("0.01", "cm|centimet(?:er|re)s?|厘米"),
        ("1", "m|met(?:er|re)s?|米"),
        ("1000", "km|kilomet(?:er|re)s?|公里|千米"),
        ("0.3048", "ft|feet|foot|英尺"),
        ("0.0254", "inch(?:es)?|英寸"),
        ("1609.344", "mi|miles?|英里"),
    ),
    "mass": (
        ("0.001", "mg|milligrams?|毫克"),
        ("1", "g|grams?|克"),
        ("1000", "kg|kilo(?:gram)?s?|千克|公斤"),
        ("1000000", "t|tonn?e?s?|吨"),
        ("453.59237", "lbs?|pounds?|磅"),
    ),
    "time": (
        ("0.001", "ms|milliseconds?|毫秒"),
        ("1", "s|secs?|seconds?|秒钟?"),
        ("60", "mins?|minutes?|分钟"),
        ("3600", "h|hrs?|hours?|小时|个小时"),
        ("86400", "days?|天"),
        ("604800", "weeks?|周|星期|个星期"),
    ),
    "months": (
        ("1", "months?|个月"),
        ("12", "years?|年"),
        ("120", "decades?"),
        ("1200", "centur(?:y|ies)"),
    ),
    "share": (("1", "%|％|per ?cent|percentage points?|个百分点"), ("0.1", "‰")),
    "dollars": (("1", "dollars?|USD|美元"), ("0.01", "cents?|美分")),
    "euros": (("1", "euros?|EUR|欧元"),),
    "sterling": (("1", "GBP|英镑"),),
    "yuan": (("1", "yuan|RMB|CNY|元|块钱?|人民币"),),
    "yen": (("1", "yen|JPY|日元|日圆"),),
    "degrees": (("1", "°C|℃|degrees? Celsius|摄氏度"),),
    "fahrenheit": (("1", "°F|℉|degrees? Fahrenheit|华氏度"),),
    "area": (
        ("1", "square met(?:er|re)s?|平方米|m²|㎡"),
        ("1000000", "square kilomet(?:er|re)s?|平方公里|km²"),
        ("10000", "hectares?|公顷|ha"),
        ("666.6667", "亩"),
        ("2589988", "square miles?|平方英里"),
        ("4046.856", "acres?|英亩"),
    ),
    "volume": (("1", "l|lit(?:er|re)s?|升"), ("0.001", "ml|millilit(?:er|re)s?|毫升")),
    "bytes": (("1000", "KB"), ("1000000", "MB"), ("1000000000", "GB"), ("1000000000000", "TB")),
    "power": (
        ("1", "W|watts?|瓦"),
        ("1000", "kW|kilowatts?|千瓦"),
        ("1000000", "MW|megawatts?|兆瓦"),
    ),
    "voltage": (("1", "V|volts?|伏"),),
}
_BEFORE = {
    "$": "dollars",
    "€": "euros",
    "£": "sterling",
    "¥": "yuan",
    "￥": "yuan",
}
_LONGEST_SIGN = 8  # characters, with white space behind it
_PARTS = {"百分之": 1, "千分之": 10}
_AFTER = re.compile(
    r"\s{0,3}-?\s{0,3}(?:"
    + "|".join(
        f"(?P<{kind}_{number}>{names})"
        for kind, units in _UNITS.items()
        for number, (_, names) in enumerate(units)
    )
    + r")(?![a-zA-Z²³])"
)
MONTHS = tuple(
    "January February March April May June July August September October November December".split()
)
MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec"  # beside a day or a year
_SHORT_MONTH = re.compile(rf"\b(?:{_SHORT})(?=\.?,?\s\d)|(?<=\d\s)(?:{_SHORT})\b")
_CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4])(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?m\b\.?"
    r"|(?<![\d:.])(?P<of_24>[01]?\d|2[0-4]):(?P<past>[0-5]\d)(?![\d:])"
    r"|(?P<part>上午|早上|凌晨|中午|下午|晚上|傍晚)?(?<![\d:.])(?P<oclock>[01]?\d|2[0-4])[点时]"
    r"(?:(?P<after>[0-5]?\d)分|(?P<half_past>半)|(?!\d))",
    re.IGNORECASE,
)
_LATE = ("p", "下午", "晚上", "傍晚")
_NIGHT = ("晚上", "傍晚")  # whose twelve is midnight
_A_DAY = 1_440  # minutes
_NOON = 12
_DAY = 86_400  # seconds
_LEAST_YEAR = 1_000
_MOST_YEAR = 2_200


def quantities(text: str) -> list[Quantity]:
    """Those of a text, in their order but for times of the day and months that are named, which
    come last.
    """
    times = list(_times(text))
    within = {at for one in times for at in range(one.start, one.end)}
    counted = (_quantity(text, one) for one in possible_numerals(text) if one.start not in within)
    return [*(one for one in counted if one), *times, *_named(text)]


def _times(text: str) -> Iterator[Quantity]:
    """Of the day: 5 pm, 17:00, 下午5点; the value in minutes."""
    for found in _CLOCK.finditer(text):
        hour = int(found["hour"] or found["of_24"] or found["oclock"])
        minute = int(found["minute"] or found["past"] or found["after"] or 0)
        half = (found["half"] or found["part"] or "").lower()
        late = half in _LATE or (half == "中午" and hour < _NOON)
        of_day = hour % _NOON + _NOON * late if half and (hour < _NOON or half in "ap") else hour
        of_day += _NOON * (half in _NIGHT and hour == _NOON)
        minutes = (60 * of_day + (30 if found["half_past"] else minute)) % _A_DAY
        yield Quantity(Decimal(minutes), "clock", Decimal(hour), *found.span())


def _named(text: str) -> Iterator[Quantity]:
    for found in (*MONTH.finditer(text), *_SHORT_MONTH.finditer(text)):
        known = (number for number, name in enumerate(MONTHS, 1) if name.startswith(found[0][:3]))
        number = Decimal(next(known))
        yield Quantity(number, "month", number, *found.span())


def _quantity(text: str, found: Numeral) -> Quantity | None:
    """None where "one" counts nothing: "one of them"; or says some day: "one day"."""
    value, start, end = found.value, found.start, found.end
    before = text[max(0, start - _LONGEST_SIGN) : start].rstrip()
    for sign, divisor in _PARTS.items():
        if before.endswith(sign):
            return Quantity(value / divisor, "share", value, text.rindex(sign, 0, start), end)
    for sign, kind in _BEFORE.items():
        if before.endswith(sign):
            return Quantity(value, kind, value, text.rindex(sign, 0, start), end)
    if date := _date(found, text[end : end + 1]):
        return Quantity(value, date, value, start, end + 1)
    if unit := _AFTER.match(text, end):
        kind, _, number = (unit.lastgroup or "").rpartition("_")
        factor = Decimal(_UNITS[kind][int(number)][0])
        if found.is_doubtful and factor == _DAY:
            return None
        return Quantity(value * factor, kind, value, start, unit.end())
    return None if found.is_doubtful else Quantity(value, "", value, start, end)


def _date(found: Numeral, after: str) -> str:
    """Whether a number is a year, a month or a day of the calendar, by the character behind it."""
    if after == "年" and _LEAST_YEAR <= found.value <= _MOST_YEAR:
        return "year"
    if after == "月" and 1 <= found.value <= 12:
        return "month"
    if after in ("日", "号") and 1 <= found.value <= 31:
        return "day"
    return ""
