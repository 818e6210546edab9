"""Where values stand in a plot, and the frame around them, as SVG."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 300  # on a phone, some 350 pixels wide, its 13 pixels of text are 9.5
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 464, 10, 256
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)
_MOST = 5
_MARKS = (1, 2, 5)  # times powers of ten, along a logarithmic axis
_MANY = 8

Place = Callable[[float], float]
"""Where a value stands along an axis."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values of an axis that are marked, the first and the last at its ends."""

    ticks: tuple[float, ...]
    is_logarithmic: bool = False

    @classmethod
    def around(cls, low: float, high: float) -> "Scale":
        """Round numbers, few steps apart, around values of [-1, 1]."""
        step = next((one for one in _STEPS if high - low <= _MOST * one), _STEPS[-1])
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        return cls(tuple(at * step for at in range(min(first, last - 1), last + 1)))

    @classmethod
    def from_zero(cls, high: float) -> "Scale":
        """Round numbers from 0 to a positive value, or a little more."""
        power = 10.0 ** math.floor(math.log10(high / _MOST))
        step = next(m * power for m in (*_MARKS, 10) if high <= _MOST * m * power * (1 + 1e-9))
        return cls(tuple(at * step for at in range(max(1, math.ceil(high / step - 1e-9)) + 1)))

    @classmethod
    def powers(cls, low: float, high: float) -> "Scale":
        """Round numbers on a logarithmic axis around positive values; where many, powers of ten."""
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        marks = [mark * 10.0**power for power in range(first, last + 1) for mark in _MARKS]
        ticks = _around(marks, low, high)
        if len(ticks) > _MANY:
            ticks = _around([10.0**power for power in range(first, last + 2)], low, high)
        return cls(ticks, is_logarithmic=True)

    def place(self, value: float) -> float:
        """From the bottom of the plot upwards."""
        return _BOTTOM - self._share(value) * (_BOTTOM - _TOP)

    def across(self, value: float) -> float:
        """From the left of the plot to the right."""
        return _LEFT + self._share(value) * (_RIGHT - _LEFT)

    def marks(self) -> dict[str, float]:
        """What stands along the bottom, and where."""
        return {short(tick): self.across(tick) for tick in self.ticks}

    def _share(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        if self.is_logarithmic:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)


def _around(marks: Sequence[float], low: float, high: float) -> tuple[float, ...]:
    """The marks from the last at or below the lowest to the first at or above the highest."""
    first = max((at for at, mark in enumerate(marks) if mark <= low * (1 + 1e-9)), default=0)
    last = next(at for at, mark in enumerate(marks) if mark >= high * (1 - 1e-9))
    return tuple(marks[first : max(last, first + 1) + 1])


def linear(count: int) -> Place:
    """0 at the left and the count at the right."""
    return lambda value: _LEFT + (_RIGHT - _LEFT) * value / count


def logarithmic(last: int) -> Place:
    """1 at the left and the last at the right."""
    return lambda value: _LEFT + (_RIGHT - _LEFT) * math.log(value) / math.log(last)


def hundredths(value: float) -> str:
    return f"{100 * value:.0f}"


def short(value: float) -> str:
    """A number that can stand at the end of an axis: 20k."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def frame(
    scale: Scale,
    label: str,
    marks: Mapping[str, float],
    below: str,
    told: Callable[[float], str] = hundredths,
) -> Iterator[str]:
    """Lines across with their values as they are told, marks along the bottom, and what both
    axes are of.
    """
    for tick in scale.ticks:
        y = scale.place(tick)
        kind = "zero" if abs(tick) < 1e-9 else "grid"
        yield f'<line class="{kind}" x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield text(_LEFT - 6, y + 4, told(tick), "end")
    for mark, x in marks.items():
        yield text(x, _BOTTOM + 18, mark, "middle")
    lower = 38 if marks else 20
    yield text((_LEFT + _RIGHT) / 2, _BOTTOM + lower, below, "middle")
    middle = (_TOP + _BOTTOM) / 2
    yield (
        f'<text transform="translate(14 {middle:.0f}) rotate(-90)" text-anchor="middle">'
        f"{escape(label)}</text>"
    )


def text(x: float, y: float, content: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def drawing(label: str, height: int, parts: Sequence[str]) -> str:
    """The whole, which takes the width that it is given."""
    body = "\n".join(parts)
    return (
        f'<svg class="plot" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'aria-label="{escape(label)}">\n{body}\n</svg>'
    )
