from dataclasses import replace
from datetime import date

import pytest
from lxml import html

from evaluation.judging import Judged, compare
from evaluation.report.content import Figures, Report, report_on
from evaluation.report.html import to_html
from evaluation.report.markdown import to_markdown
from evaluation.test_set import TestSet
from tests.evaluation.report.conftest import DOCUMENTS, HOSTILE, QUESTIONS, Judge


def test_a_report_has_the_figures_of_the_runs(hostile: TestSet, runs: list[Judged]) -> None:
    found = report_on(hostile, runs)
    assert (found.name, found.documents, found.questions) == (hostile.name, DOCUMENTS, QUESTIONS)
    assert [one.configuration for one in found.runs] == [one.run.configuration for one in runs]
    for figures, one in zip(found.runs, runs, strict=True):
        assert figures == Figures.of(one)
        assert figures.metrics.keys() == one.values.keys()
        assert figures.metrics["nDCG@10"].mean == pytest.approx(one.mean("nDCG@10"))
    assert list(found.compared) == compare(runs[0], runs[1:], "nDCG@10")


def test_what_has_to_be_known_of_a_set_is_in_its_report(
    hostile: TestSet, runs: list[Judged]
) -> None:
    some = replace(hostile, size=1_234, note=f"Beware: {HOSTILE}")
    found = report_on(some, runs)
    assert (found.documents, found.note) == (1_234, some.note)
    report = Report("A CPU", date(2026, 11, 21), "footnote", (found,))
    page = html.fromstring(to_html(report))
    assert [note for note in page.xpath("//p/text()") if note == some.note]
    assert not page.xpath("//script")
    assert r"Beware: \</p\>" in to_markdown(report)


def test_curves_rise_to_the_recall_that_was_judged(hostile: TestSet, runs: list[Judged]) -> None:
    for curve, one in zip(report_on(hostile, runs).curves, runs, strict=True):
        assert curve.run == one.run.configuration.name
        assert len(curve.recall) == 100
        assert list(curve.recall) == sorted(curve.recall)
        assert curve.recall[0] < curve.recall[9] < curve.recall[99]
        assert curve.recall[9] == pytest.approx(one.mean("recall@10"))
        assert curve.recall[99] == pytest.approx(one.mean("recall@100"))


def test_differences_are_to_the_best_other_run(hostile: TestSet, runs: list[Judged]) -> None:
    found = report_on(hostile, runs).differences
    assert found is not None
    before, after = runs[1].values["nDCG@10"], runs[2].values["nDCG@10"]
    assert (found.run, found.other) == ("last", runs[1].run.configuration.name)
    assert found.values == pytest.approx({key: after[key] - before[key] for key in before})
    assert list(found.values.values()) == sorted(found.values.values(), reverse=True)
    assert found.higher == tuple(value for value in found.values.values() if value > 0) != ()
    assert found.lower == tuple(value for value in found.values.values() if value < 0) != ()
    assert len(found.higher) + len(found.lower) < QUESTIONS


def test_a_run_alone_is_compared_with_nothing(hostile: TestSet, judged: Judge) -> None:
    found = report_on(hostile, [judged("only", lambda n: 1 + n % 3)])
    assert (found.compared, found.differences) == ((), None)
    assert len(found.curves) == 1
