import json
import re
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree, html

from evaluation.embedding_bench.figures import Bench
from evaluation.embedding_bench.plots import worth_plot
from evaluation.embedding_bench.report import report_of
from evaluation.embedding_bench.table import grids, remarks
from evaluation.report.bench import to_html, to_markdown
from tests.evaluation.embedding_bench.conftest import HOSTILE


def _html(bench: Bench) -> str:
    return to_html(report_of(bench))


def _markdown(bench: Bench) -> str:
    return to_markdown(report_of(bench))


def _latency_plot(bench: Bench) -> str:
    return next((one.svg for one in report_of(bench).plots if "latency" in one.svg), "")


def read(element: Any) -> str:
    return " ".join(element.text_content().split())


@pytest.fixture
def page(bench: Bench) -> Any:
    return html.document_fromstring(_html(bench))


def test_nothing_is_asked_for_and_nothing_runs(page: Any) -> None:
    assert {element.tag for element in page.iter()}.isdisjoint(
        {"script", "img", "link", "iframe", "object", "embed", "base", "form", "a"}
    )
    attributes = {(name, value) for element in page.iter() for name, value in element.items()}
    assert [
        name for name, _ in attributes if name.startswith("on") or name in ("src", "href")
    ] == []
    [style] = page.iter("style")
    assert re.findall(r"url\(|@import|http", style.text) == []
    [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_hostile_names_are_texts(page: Any) -> None:
    heads = [read(cell) for cell in page.xpath("(//table)[1]//tbody//th")]
    assert heads == ["first", f"second {HOSTILE}", "third"]
    told = read(page.xpath("//h1/following-sibling::p")[0])
    assert f"CPU {HOSTILE}" in told
    assert f"footnote {HOSTILE}" in told


def test_a_target_that_failed_is_a_row_with_its_reason(page: Any, bench: Bench) -> None:
    row = page.xpath("(//table)[1]//tbody/tr")[-1]
    assert [read(cell) for cell in row] == ["third", f"failed: No module named {HOSTILE}"]
    lines = _markdown(bench).splitlines()
    [line] = [line for line in lines if line.startswith("| third")]
    assert "failed: No module named" in line


def test_hostile_names_are_texts_in_markdown(bench: Bench) -> None:
    pasted = _markdown(replace(bench, command="", first=f"a {HOSTILE}", reference=HOSTILE))
    marks = re.sub(r"\\.", "", pasted)  # what is escaped means nothing
    assert "<" not in marks
    assert {line.count("|") for line in marks.splitlines() if line.startswith("| first")} == {
        line.count("|") for line in marks.splitlines() if line.startswith(("| ---", "| target"))
    }


def test_speed_and_quality_stand_in_one_table(page: Any, bench: Bench) -> None:
    grid = grids(bench)[0]
    assert "nDCG@10" in grid.headings
    assert "mixed, tokens/s" in grid.headings
    assert "GPU, MB" not in grid.headings  # nobody has one
    cells = dict(zip(grid.headings, grid.rows[0], strict=True))
    assert cells["mixed, tokens/s"] == "800 [720, 880]"
    assert cells["nDCG@10"] == "65.0 [55.0, 75.0]"
    assert cells["difference"] == "+1.0 [-1.0, +3.0]"
    assert (cells["cosine, mean"], cells["least"]) == ("0.99910", "0.98760")
    shown = [read(cell) for cell in page.xpath("(//table)[1]//tbody/tr[1]/*")]
    assert tuple(shown) == grid.rows[0]
    lines = _markdown(bench).splitlines()
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in lines if line.startswith("| first")}
    assert len(grid.headings) + 1 in widths


def test_latencies_and_what_was_not_answered(bench: Bench) -> None:
    grid = next(one for one in grids(bench) if one.title.startswith("Latency"))
    assert grid.headings[-1] == "p99, ms"
    assert grid.rows[0] == ("first", "80.0", "10%", "100", "5.0", "10.0", "unanswered")


def test_what_was_not_measured_has_no_column_and_no_plot(alone: Bench) -> None:
    titles = [one.title for one in grids(alone)]
    assert titles == ["Speed and quality", "Throughput"]
    assert "nDCG@10" not in grids(alone)[0].headings
    assert _latency_plot(alone) == ""
    assert "cosine" in worth_plot(alone)
    bare = replace(alone, results=tuple(replace(one, agreement=None) for one in alone.results))
    assert worth_plot(bare) == ""
    assert "<svg" not in _html(bare)


def test_all_targets_may_have_failed(bench: Bench) -> None:
    every = tuple(replace(bench.results[2], name=name) for name in "ab")
    failed = replace(bench, results=every, first="")
    [grid] = grids(failed)
    assert [name for name, _ in grid.failed] == ["a", "b"]
    assert read(html.document_fromstring(_html(failed))).count("No module named") == 2
    assert _markdown(failed).count("No module named") == 2


def test_plots_are_drawn_where_the_values_are(bench: Bench) -> None:
    svg = etree.fromstring(worth_plot(bench))
    titles = [title.text for title in svg.iter("title")]
    assert titles == [
        "first: 800 tokens/s, nDCG@10 × 100 65.0",
        f"second {HOSTILE}: 4,000 tokens/s, nDCG@10 × 100 60.0",
    ]
    places = [
        tuple(map(float, re.findall(r"[\d.]+", path.get("transform"))))
        for path in svg.xpath("//g[title]/path")
    ]
    assert places[0][0] < places[1][0]  # slower: further left
    assert places[0][1] < places[1][1]  # better: further up
    curves = etree.fromstring(_latency_plot(bench)).xpath("//g[title]/polyline")
    assert len(curves) == 2
    for curve in curves:
        (x0, y0), (x1, y1) = (map(float, p.split(",")) for p in curve.get("points").split())
        assert x0 < x1
        assert y0 > y1  # more load, more to wait


def test_what_is_to_be_known_is_told(bench: Bench) -> None:
    told = " ".join(remarks(bench))
    for part in (
        "2 rounds in turns",
        "mixed: 50 texts of 10 to 60 tokens, 1,000 in all; 1 cut at the window.",
        "Cosines are with the vectors of first.",
        "scifact, 10 documents, 3 questions",
        "float32 80",
        "count from when each was due",
        "torch 2.13",
        "A note.",
    ):
        assert part in told


def test_more_than_the_peak_is_told_to_be_an_error_of_the_peak(bench: Bench) -> None:
    assert "More than the peak" not in " ".join(remarks(bench))
    speed = replace(bench.results[0].speeds["mixed"], share=1.25)
    above = replace(bench, results=(replace(bench.results[0], speeds={"mixed": speed}),))
    assert "More than the peak was reached" in " ".join(remarks(above))


def test_figures_come_back_from_json(bench: Bench) -> None:
    assert Bench.from_json(json.loads(json.dumps(bench.to_json()))) == bench
