"""Lines and points of a plot, one look each, and the legend that says whose they are."""

from collections.abc import Iterator, Sequence
from html import escape

from evaluation.report.axes import HEIGHT, text

# Okabe, Ito, "Color Universal Design", 2008: told apart by the colour-blind. On white its light
# ones are darkened until each has a contrast of 3, on black its dark ones lightened.
LIGHT = ("#0072b2", "#d55e00", "#00785a", "#a8487f", "#8a6d00", "#333333")
DARK = ("#56b4e9", "#e69f00", "#2fc79b", "#e79bc4", "#f0e442", "#dddddd")
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "12 4")  # with six colours, thirty lines differ
_SHAPES = (  # with six colours, thirty points differ
    "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0Z",
    "M-5,-5h10v10h-10Z",
    "M0,-6L6,5H-6Z",
    "M0,-7L7,0L0,7L-7,0Z",
    "M-6,-5H6L0,6Z",
)
_NAME = 50  # characters of a name that fit beside a plot
_ROW = 20


def _colours(colours: Sequence[str]) -> str:
    return " ".join(f".s{at} {{ --line: {colour}; }}" for at, colour in enumerate(colours))


STYLE = f"""
.plot {{ display: block; width: 100%; font: 13px system-ui, sans-serif; }}
.plot text {{ fill: currentColor; }}
.plot .grid {{ stroke: currentColor; opacity: .18; }}
.plot .zero {{ stroke: currentColor; opacity: .7; }}
.plot polyline {{ fill: none; stroke: var(--line); stroke-width: 2; }}
.plot circle, .plot path {{ fill: var(--line); }}
{_colours(LIGHT)}
@media (prefers-color-scheme: dark) {{ {_colours(DARK)} }}
"""

Point = tuple[float, float]
"""Pixels from the left and from the top."""


def line(at: int, title: str, places: Sequence[Point], marked: Sequence[Point]) -> Iterator[str]:
    """The line of this number through places, some of them marked."""
    yield f'<g class="s{at % len(LIGHT)}" role="img">'
    yield f"<title>{escape(title)}</title>"
    points = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    yield f'<polyline stroke-dasharray="{_DASHES[at % len(_DASHES)]}" points="{points}"/>'
    for left, top in marked:
        yield f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3"/>'
    yield "</g>"


def point(at: int, title: str, place: Point) -> str:
    """The point of this number, told from others by its shape too."""
    left, top = place
    return (
        f'<g class="s{at % len(LIGHT)}" role="img"><title>{escape(title)}</title>'
        f'<path transform="translate({left:.1f} {top:.1f})" d="{_SHAPES[at % len(_SHAPES)]}"/></g>'
    )


def legend(at: int, name: str) -> str:
    """A row below the plot, for a line."""
    y = _below(at)
    return (
        f'<g class="s{at % len(LIGHT)}"><polyline points="52,{y} 84,{y}" '
        f'stroke-dasharray="{_DASHES[at % len(_DASHES)]}"/>{_named(y, name)}</g>'
    )


def point_legend(at: int, name: str) -> str:
    """A row below the plot, for a point."""
    y = _below(at)
    return (
        f'<g class="s{at % len(LIGHT)}"><path transform="translate(68 {y})" '
        f'd="{_SHAPES[at % len(_SHAPES)]}"/>{_named(y, name)}</g>'
    )


def height_with(rows: int) -> int:
    """Of a plot with so many rows of a legend."""
    return HEIGHT + 8 + _ROW * rows


def _below(at: int) -> int:
    return HEIGHT + 8 + _ROW * at


def _named(y: int, name: str) -> str:
    cut = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return text(92, y + 4, cut, "start")
