from dataclasses import replace

import pytest
from lxml import etree

from evaluation.ingest_load import Load
from evaluation.ingest_report import ingestion_report, memory_plot
from evaluation.report.bench import to_html, to_markdown

LOAD = Load(
    documents=1_000,
    chunks=7_000,
    pages=900,
    warm=800.0,
    steady=840.0,
    long=880.0,
    ingested=40.0,
    raw=50.0,
    cached_documents=47.25,
    memory=((10, 500.0), (500, 700.0), (1_501, 860.0)),
)


def test_rates_and_peaks_are_told() -> None:
    rates, memory = ingestion_report(LOAD, "footnote bench ingest").grids
    assert rates.rows == (
        ("ingested, chunks", "40.0", "80.0%"),
        ("the model alone, chunks", "50.0", ""),
        ("with known vectors, documents", "47.2", ""),
    )
    assert memory.rows == (
        ("first 200 documents", "800", ""),
        ("the others", "840", "+5.0%"),
        ("a PDF of 900 pages", "880", "+10.0%"),
    )


def test_memory_is_drawn_over_documents() -> None:
    (line,) = etree.fromstring(memory_plot(LOAD)).xpath("//g[title]/polyline")
    places = [tuple(map(float, one.split(","))) for one in line.get("points").split()]
    xs, ys = zip(*places, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)  # more is further up
    assert xs[1] - xs[0] == pytest.approx((xs[2] - xs[1]) * 490 / 1_001, rel=0.01)


def test_it_stands_on_a_page_and_in_markdown() -> None:
    report = ingestion_report(LOAD, "footnote bench ingest")
    assert "Memory by documents" in to_html(report)
    assert "| the others | 840 | +5.0% |" in to_markdown(report)


def test_one_look_is_no_plot() -> None:
    assert ingestion_report(replace(LOAD, memory=LOAD.memory[:1]), "").plots == ()
