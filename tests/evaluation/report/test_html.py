import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from lxml import etree, html

from evaluation.judging import Judged, judge
from evaluation.report.content import Report, report_on
from evaluation.report.html import to_html
from evaluation.report.table import tabulate
from evaluation.test_set import TestSet
from tests.evaluation.report.conftest import HOSTILE, Judge


@pytest.fixture
def report(hostile: TestSet, runs: list[Judged], judged: Judge) -> Report:
    alone = report_on(hostile, [judged("only", lambda n: 1)])
    sets = (report_on(hostile, runs), alone)
    return Report(f"CPU {HOSTILE}", date(2026, 11, 21), f"footnote {HOSTILE}", sets)


@pytest.fixture
def page(report: Report) -> Any:
    return html.document_fromstring(to_html(report))


def read(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_nothing_is_asked_for_and_nothing_runs(page: Any) -> None:
    assert {element.tag for element in page.iter()}.isdisjoint(
        {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    )
    attributes = {(name, value) for element in page.iter() for name, value in element.items()}
    assert [name for name, _ in attributes if name.startswith("on") or name == "src"] == []
    assert {value for name, value in attributes if name == "href"} == {"#set-1", "#set-2"}
    [style] = page.iter("style")
    assert re.findall(r"url\(|@import|http", style.text) == []
    [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_hostile_texts_are_texts(page: Any, report: Report) -> None:
    shown = " ".join(HOSTILE.split())
    first, alone = page.xpath("//section")
    assert [read(one.find("h2")) for one in (first, alone)] == [f"set {shown}"] * 2
    assert f"second {shown}" in [read(cell) for cell in first.xpath(".//thead//th")]
    assert f"CPU {shown}" in read(page.xpath("//h1/following-sibling::p")[0])
    failure = report.sets[0].failures[0]
    details = first.find(".//details")
    assert read(details.find("summary")) == (
        f"{100 * failure.value:.1f} Question {failure.question} {shown}"
    )
    titles = [read(title) for title in details.iter("b")]
    assert titles == [" ".join(one.title.split()) for one in (*failure.gold, *failure.instead)]
    assert all(shown in title for title in titles)
    assert read(details).count("alert(1)") == 1 + 2 * len(titles)


def test_the_tables_have_the_figures(page: Any, report: Report) -> None:
    for section, one in zip(page.xpath("//section"), report.sets, strict=True):
        table = tabulate(one)
        rows = {
            read(row.find("th")): tuple(read(cell) for cell in row.findall("td"))
            for row in section.xpath(".//tbody/tr")
        }
        assert rows == {row.head: row.cells for row in (*table.settings, *table.figures)}
        assert {cell.get("scope") for cell in section.xpath(".//tbody//th")} == {"row"}
        assert {cell.get("scope") for cell in section.xpath(".//thead//th")} == {"col"}


def test_plots_are_there_for_what_there_is(page: Any, report: Report) -> None:
    first, alone = page.xpath("//section")
    assert [len(one.xpath(".//figure[svg and figcaption]")) for one in (first, alone)] == [2, 1]
    for svg in re.findall(r"<svg.*?</svg>", to_html(report), re.DOTALL):
        etree.fromstring(svg)
    differences = report.sets[0].differences
    assert differences is not None
    caption = read(first.xpath(".//figcaption")[1])
    assert caption.endswith(
        f"higher on {len(differences.higher)}, lower on {len(differences.lower)} of 30."
    )


def test_failures_are_those_of_the_report(page: Any, report: Report) -> None:
    first, alone = page.xpath("//section")
    asked = [read(one) for one in first.xpath(".//details/p[1]/bdi")]
    assert asked == [one.question for one in report.sets[0].failures]
    for section, one in ((first, report.sets[0]), (alone, report.sets[1])):
        assert len(section.xpath(".//details")) == len(one.failures) > 0


def test_runs_without_a_failure_or_a_difference_are_told_so(
    hostile: TestSet, judged: Judge
) -> None:
    one_each = replace(hostile, grades={key: {f"d{key[1:]}": 1} for key in hostile.questions})
    runs = [judge(judged(name, lambda n: 1).run, one_each) for name in ("one", "other")]
    report = Report("", date(2026, 11, 21), "", (report_on(one_each, runs),))
    page = html.document_fromstring(to_html(report))
    assert len(page.xpath("//figure")) == 1
    assert list(page.iter("details")) == []
    notes = [read(note) for note in page.xpath("//section//p")]
    assert "The nDCG@10 of other is that of one on every question." in notes
    assert "other has an nDCG@10 of 100 on every question: there is no failure to look at." in notes
