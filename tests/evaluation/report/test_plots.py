import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from evaluation.report import series
from evaluation.report.axes import Scale
from evaluation.report.content import Curve, Differences
from evaluation.report.plots import difference_plot, recall_plot
from evaluation.report.series import DARK, LIGHT, STYLE
from tests.evaluation.report.conftest import HOSTILE

RISING = tuple(0.4 + 0.5 * k / 100 for k in range(1, 101))


def scale(svg: Any) -> tuple[float, float]:
    """Value and pixels of the marks of the upward axis, as value = a + b * y."""
    marks = [
        (float(text.text) / 100, float(line.get("y1")))
        for text, line in zip(
            svg.xpath("//text[@text-anchor='end']"), svg.xpath("//line"), strict=True
        )
    ]
    (low, bottom), (high, top) = marks[0], marks[-1]
    slope = (high - low) / (top - bottom)
    assert [low + slope * (y - bottom) for _, y in marks] == pytest.approx(
        [value for value, _ in marks], abs=0.005
    )
    return low - slope * bottom, slope


def test_a_curve_is_drawn_where_its_values_are() -> None:
    svg = etree.fromstring(recall_plot([Curve("a", RISING), Curve("b", (0.5,) * 100)]))
    at_zero, slope = scale(svg)
    lines = svg.xpath("//g[title]/polyline")
    assert len(lines) == 2
    points = [tuple(map(float, p.split(","))) for p in lines[0].get("points").split()]
    assert [at_zero + slope * y for _, y in points] == pytest.approx(RISING, abs=0.002)
    x = [left for left, _ in points]
    assert x[9] - x[0] == pytest.approx(x[99] - x[9], abs=0.2)  # a power of ten is a step
    assert {text.text for text in svg.xpath("//text[@text-anchor='start']")} == {"a", "b"}
    assert {"recall × 100", "k, documents"} <= {text.text for text in svg.iter("text")}


def test_a_line_has_its_values_as_a_title() -> None:
    svg = etree.fromstring(recall_plot([Curve(HOSTILE, RISING)]))
    [title] = svg.xpath("//g/title")
    assert title.text == (
        f"{HOSTILE}: 40.5 of 1, 41.0 of 2, 42.5 of 5, 45.0 of 10, 50.0 of 20, 65.0 of 50, "
        "90.0 of 100"
    )
    assert [child.tag for child in svg.iter() if child.tag in ("script", "img")] == []


def test_lines_differ_by_more_than_colour() -> None:
    curves = [Curve(f"run {n}", RISING) for n in range(12)]
    svg = etree.fromstring(recall_plot(curves))
    looks = {
        (group.get("class"), group.find("polyline").get("stroke-dasharray"))
        for group in svg.xpath("//g[title]")
    }
    assert len(looks) == 12
    height = float(svg.get("viewBox").split()[3])
    assert max(float(text.get("y", 0)) for text in svg.iter("text")) < height


def test_runs_that_find_everything_can_be_drawn() -> None:
    svg = etree.fromstring(recall_plot([Curve("all", (1.0,) * 100)]))
    at_zero, slope = scale(svg)
    [line] = svg.xpath("//g[title]/polyline")
    assert {
        round(at_zero + slope * float(p.split(",")[1]), 2) for p in line.get("points").split()
    } == {1.0}


def test_bars_are_as_high_as_the_differences() -> None:
    values = [0.5, 0.5, 0.25, 0.0, -0.1, -0.75]
    differences = Differences("a", "b", {f"q{n}": value for n, value in enumerate(values)})
    svg = etree.fromstring(difference_plot(differences))
    at_zero, slope = scale(svg)
    drawn: list[float] = []
    for path in svg.iter("path"):
        steps = re.findall(r"V([\d.]+)H([\d.]+)", path.get("d"))
        start = float(path.get("d")[1:].split(",")[0])
        edges = [start, *(float(x) for _, x in steps)]
        width = 412 / len(values)
        for (y, _), (left, right) in zip(steps, pairwise(edges), strict=True):
            drawn += [at_zero + slope * float(y)] * round((right - left) / width)
    assert drawn == pytest.approx([value for value in values if value], abs=0.005)
    assert [title.text for title in svg.iter("title")] == [
        "higher on 3 questions, by 41.7 in the mean",
        "lower on 2 questions, by 42.5 in the mean",
    ]


def test_runs_that_do_not_differ_have_no_bars() -> None:
    svg = etree.fromstring(difference_plot(Differences("a", "b", {"q": 0.0})))
    assert list(svg.iter("path")) == []


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.83, 0.84), (0.5, 0.5), (-0.3, 0.0), (0.0, 0.0)]
)
def test_a_scale_holds_its_values_between_round_numbers(low: float, high: float) -> None:
    ticks = Scale.around(low, high).ticks
    assert ticks[0] <= low + 1e-9
    assert ticks[-1] >= high - 1e-9
    assert 2 <= len(ticks) <= 7
    assert all(round(100 * tick) == pytest.approx(100 * tick) for tick in ticks)


def contrast(one: str, other: str) -> float:
    """WCAG 2.1's contrast ratio."""
    parts = ([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)] for colour in (one, other))
    linear = (
        [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        for colour in parts
    )
    light, dark = sorted(
        (0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in linear), reverse=True
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("colours", "paper"), [(LIGHT, "#ffffff"), (DARK, "#15171a")])
def test_colours_can_be_seen(colours: tuple[str, ...], paper: str) -> None:
    """WCAG 2.1 asks of graphics for a contrast of 3."""
    assert all(contrast(colour, paper) >= 3 for colour in colours)
    assert all(colour in STYLE for colour in colours)
    page = Path(series.__file__).with_name("base.html").read_text(encoding="utf-8")
    assert f"--paper: {paper};" in page
