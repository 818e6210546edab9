"""Plots as SVG to stand inside a page that has `STYLE`: no script, nothing fetched."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import fmean

from evaluation.report.axes import HEIGHT, Place, Scale, drawing, frame, linear, logarithmic
from evaluation.report.content import METRIC, Curve, Differences
from evaluation.report.series import height_with, legend, line

_MARKED = (1, 2, 5, 10, 20, 50, 100)


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
        parts.append(legend(at, curve.run))
    return drawing("Recall by k", height_with(len(curves)), parts)


def _line(at: int, curve: Curve, x: Place, scale: Scale) -> Iterator[str]:
    places = [(x(k), scale.place(value)) for k, value in enumerate(curve.recall, start=1)]
    marked = [k for k in _MARKED if k <= len(places)]
    told = ", ".join(f"{100 * curve.recall[k - 1]:.1f} of {k}" for k in marked)
    return line(at, f"{curve.run}: {told}", places, [places[k - 1] for k in marked])


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
