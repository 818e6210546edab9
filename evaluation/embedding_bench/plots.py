"""What it costs to be fast: a plot."""

from evaluation.embedding_bench.figures import Bench, Result
from evaluation.report.axes import Scale, drawing, frame
from evaluation.report.series import height_with, point, point_legend

_BY_LOT = "mixed"  # the set that is like what is indexed


def worth_plot(bench: Bench) -> str:
    """A point a target: tokens a second against nDCG@10, or against the cosine with the
    reference; "" where neither was measured.
    """
    name = plotted_set(bench)
    if measures_quality(bench):
        of = [(one, one.quality.ndcg.mean) for one in bench.results if one.quality]
        label, form = "nDCG@10 × 100", ".1f"
    else:
        of = [(one, value) for one in bench.results if (value := _agreed(bench, one)) is not None]
        label, form = "cosine, mean, × 100", ".3f"
    found = [(one, _speed(one, name), value) for one, value in of if name in one.speeds]
    if not found:
        return ""
    x = Scale.powers(min(speed for _, speed, _ in found), max(speed for _, speed, _ in found))
    y = Scale.around(min(value for *_, value in found), max(value for *_, value in found))
    unit = "tokens/s" if all(one.speeds[name].tokens for one, *_ in found) else "texts/s"
    parts = [*frame(y, label, x.marks(), f"{unit}, {name}")]
    for at, (one, speed, value) in enumerate(found):
        told = f"{one.name}: {speed:,.0f} {unit}, {label} {100 * value:{form}}"
        parts += [point(at, told, (x.across(speed), y.place(value))), point_legend(at, one.name)]
    return drawing(f"{label} by {unit}", height_with(len(found)), parts)


def plotted_set(bench: Bench) -> str:
    """The text set whose speed is drawn."""
    names = [one.name for one in bench.sets]
    return _BY_LOT if _BY_LOT in names else names[-1]


def measures_quality(bench: Bench) -> bool:
    return any(one.quality for one in bench.results)


def _agreed(bench: Bench, one: Result) -> float | None:
    if one.agreement:
        return one.agreement.mean
    agreed = any(each.agreement for each in bench.results)
    return 1.0 if one.name == bench.reference and agreed else None


def _speed(one: Result, name: str) -> float:
    speed = one.speeds[name]
    return (speed.tokens or speed.texts).value
