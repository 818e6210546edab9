import json
import re
from dataclasses import replace

import pytest
from lxml import etree, html

from evaluation.report.bench import to_html, to_markdown
from evaluation.serving_bench.figures import Beside, ServingBench
from evaluation.serving_bench.report import report_of
from evaluation.serving_bench.table import grids, remarks
from tests.evaluation.embedding_bench.conftest import HOSTILE


@pytest.fixture
def alone(bench: ServingBench) -> ServingBench:
    """The same as it is of a server elsewhere that nothing is written into."""
    return replace(
        bench,
        throughputs=tuple(one for one in bench.throughputs if one.beside is Beside.NOTHING),
        steps=tuple(one for one in bench.steps if one.beside is Beside.NOTHING),
        ingestions=(),
        memory=None,
    )


def test_the_same_rates_stand_side_by_side(bench: ServingBench) -> None:
    grid = grids(bench)[0]
    assert [row[:2] for row in grid.rows] == [
        *(("search", "10.0"), ("search", "90.0")),
        *(("ask", "10.0"), ("ask", "90.0")),
    ]
    cells = dict(zip(grid.headings, grid.rows[1], strict=True))
    assert cells["p95, ms"] == "20.0"
    assert cells["beside: p95, ms"] == "unanswered"
    assert cells["beside: errors"] == "429: 1, timeout: 1"
    assert cells["beside: texts/s"] == "12.5"
    assert "errors" not in cells  # there were none
    throughput = dict(zip(grids(bench)[1].headings, grids(bench)[1].rows[0], strict=True))
    assert throughput["answers/s"] == "100 [90, 110]"
    assert throughput["beside: answers/s"] == "40.0 [36.0, 44.0]"


def test_ingestion_and_memory_are_told(bench: ServingBench) -> None:
    _, _, ingestion, memory = grids(bench)
    assert ingestion.rows[0] == ("nothing beside it", "500", "", "20.0 [20.0, 20.0]")
    assert ingestion.rows[1] == ("beside requests", "90", "3", "10.0 [9.0, 11.0]")
    assert memory.headings == ("process", "ready", "with 500 documents", "peak")
    assert memory.rows == (("server", "300", "400", "500"),)


def test_what_was_not_measured_is_not_shown(alone: ServingBench) -> None:
    assert [grid.title for grid in grids(alone)] == ["Latency", "Throughput of 8 clients"]
    assert not [name for grid in grids(alone) for name in grid.headings if "beside" in name]
    assert "ingestion" not in " ".join(remarks(alone))
    assert "beside ingestion" not in to_html(report_of(alone))


def test_what_is_to_be_known_is_told(bench: ServingBench) -> None:
    told = " ".join(remarks(bench))
    for part in (
        "500 documents in 700 chunks",
        "2 rounds of 5 s a figure, with and without ingestion in turns",
        "latencies count from when each was due",
        "8 clients that asked again",
        "no two of a run are the same",
        "it took 0.30 cores at the most",
        "A note.",
    ):
        assert part in told
    assert "Questions were repeated" in " ".join(remarks(replace(bench, same_questions=True)))


def test_a_plot_a_call_has_a_line_with_and_one_without(bench: ServingBench) -> None:
    plots = report_of(bench).plots
    assert len(plots) == 2
    search = etree.fromstring(plots[0].svg)
    assert [title.text for title in search.iter("title")] == [
        "nothing beside it: 10.0 ms at 10.0/s, 20.0 ms at 90.0/s",
        "beside ingestion: 30.0 ms at 10.0/s",  # what wasn't answered isn't drawn
    ]
    alone, loaded = (line.get("points").split() for line in search.xpath("//g[title]/polyline"))
    (x, y), (above_x, above_y) = (map(float, line[0].split(",")) for line in (alone, loaded))
    assert x == above_x
    assert y > above_y  # longer is further up
    assert "questions" in plots[1].caption


def test_hostile_names_are_texts(bench: ServingBench) -> None:
    page = html.document_fromstring(to_html(report_of(bench)))
    assert {element.tag for element in page.iter()}.isdisjoint({"script", "img", "link", "a"})
    assert f"Footnote 0.1.0, {HOSTILE}" in " ".join(page.text_content().split())
    marks = re.sub(r"\\.", "", to_markdown(report_of(replace(bench, command=""))))
    assert "<" not in marks


def test_figures_come_back_from_json(bench: ServingBench) -> None:
    assert ServingBench.from_json(json.loads(json.dumps(bench.to_json()))) == bench
