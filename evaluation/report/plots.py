"""Plots as SVG to stand inside a page that has `STYLE`: no script, nothing fetched."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from statistics import fmean

from evaluation.report.axes import HEIGHT, Place, Scale, drawing, frame, linear, logarithmic, text
from evaluation.report.content import METRIC, Curve, Differences

# Okabe, Ito, "Color Universal Design", 2008: told apart by the colour-blind. On white its light
# ones are darkened until each has a contrast of 3, on black its dark ones lightened.
LIGHT = ("#0072b2", "#d55e00", "#00785a", "#a8487f", "#8a6d00", "#333333")
DARK = ("#56b4e9", "#e69f00", "#2fc79b", "#e79bc4", "#f0e442", "#dddddd")
_DASHES = ("none", "7 3", "2 3", "9 3 2 3", "12 4")  # with six colours, thirty lines differ
_MARKED = (1, 2, 5, 10, 20, 50, 100)
_NAME = 50  # characters of a run's name that fit beside a plot
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


def recall_plot(curves: Sequence[Curve]) -> str:
    """A line a run: the mean recall of the first k documents, k on a logarithmic axis."""
    deepest = len(curves[0].recall)
    lowest = min(curve.recall[0] for curve in curves)
    scale = Scale.around(lowest, max(curve.recall[-1] for curve in curves))
    x = logarithmic(deepest)
    marks = {str(k): x(k) for k in _MARKED if k <= deepest}
    parts = [*frame(scale, "recall × 100", marks, "k, documents")]
    for at, curve in enumerate(curves):
        parts += _line(at, curve, x, scale)
        parts.append(_legend(at, curve.run))
    return drawing("Recall by k", HEIGHT + 8 + _ROW * len(curves), parts)


def _line(at: int, curve: Curve, x: Place, scale: Scale) -> Iterator[str]:
    places = [(x(k), scale.place(value)) for k, value in enumerate(curve.recall, start=1)]
    marked = [k for k in _MARKED if k <= len(places)]
    told = ", ".join(f"{100 * curve.recall[k - 1]:.1f} of {k}" for k in marked)
    yield f'<g class="s{at % len(LIGHT)}" role="img">'
    yield f"<title>{escape(curve.run)}: {told}</title>"
    points = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    yield f'<polyline stroke-dasharray="{_DASHES[at % len(_DASHES)]}" points="{points}"/>'
    for k in marked:
        left, top = places[k - 1]
        yield f'<circle cx="{left:.1f}" cy="{top:.1f}" r="3"/>'
    yield "</g>"


def _legend(at: int, name: str) -> str:
    y = HEIGHT + 8 + _ROW * at
    cut = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
    return (
        f'<g class="s{at % len(LIGHT)}"><polyline points="52,{y} 84,{y}" '
        f'stroke-dasharray="{_DASHES[at % len(_DASHES)]}"/>{text(92, y + 4, cut, "start")}</g>'
    )


def difference_plot(differences: Differences) -> str:
    """A bar a question, the highest first; bars that are side by side and alike are one."""
    values = list(differences.values.values())
    scale = Scale.around(min(0.0, *values), max(0.0, *values))
    x = linear(len(values))
    label = f"{METRIC} × 100, difference"
    parts = [*frame(scale, label, {}, f"questions ({len(values):,}), by difference")]
    for at, side, first, word in (
        (0, differences.higher, 0, "higher"),
        (1, differences.lower, len(values) - len(differences.lower), "lower"),
    ):
        if side:
            mean = 100 * abs(fmean(side))
            parts.append(
                f'<g class="s{at}" role="img"><title>{word} on {len(side):,} questions, '
                f'by {mean:.1f} in the mean</title><path d="{_bars(side, first, x, scale)}"/></g>'
            )
    return drawing(f"Differences of {METRIC}", HEIGHT, parts)


def _bars(values: Sequence[float], first: int, x: Place, scale: Scale) -> str:
    zero = f"{scale.place(0):.1f}"
    path = [f"M{x(first):.1f},{zero}"]
    at = first
    for height, alike in groupby(f"{scale.place(value):.1f}" for value in values):
        at += len(list(alike))
        path.append(f"V{height}H{x(at):.1f}")
    return "".join([*path, f"V{zero}Z"])
