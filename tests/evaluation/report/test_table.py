from dataclasses import replace

from evaluation.judging import Judged
from evaluation.report.content import report_on
from evaluation.report.table import Row, shown, tabulate
from evaluation.significance import Interval
from evaluation.test_set import TestSet
from tests.evaluation.report.conftest import Judge


def test_the_cells_are_the_figures_of_the_judged_runs(hostile: TestSet, runs: list[Judged]) -> None:
    report = report_on(hostile, runs)
    table = tabulate(report)
    assert table.runs == tuple(one.run.configuration.name for one in runs)
    rows = {row.head: row.cells for row in table.figures}
    for metric in runs[0].values:
        assert rows.pop(metric) == tuple(shown(one.interval(metric)) for one in runs)
    first, *differences = rows.pop("nDCG@10, difference to first")
    assert first == ""
    assert differences == [shown(one.difference.interval, signed=True) for one in report.compared]
    assert rows.pop("p of it, adjusted (Holm)") == (
        "",
        *(f"{one.p:.4f}" for one in report.compared),
    )
    assert rows == {}


def test_settings_are_told_where_they_say_something(hostile: TestSet, runs: list[Judged]) -> None:
    usual = replace(runs[0].run.configuration, name="usual")
    short = replace(usual, name="short", tokens=64)
    found = report_on(
        hostile,
        [Judged(replace(runs[0].run, configuration=one), runs[0].values) for one in (usual, short)],
    )
    assert tabulate(found).settings == (
        Row("mode", ("hybrid", "hybrid")),
        Row("model", ("hashing", "hashing")),
        Row("tokens", (str(usual.tokens), "64")),
    )


def test_one_run_has_no_rows_of_differences(hostile: TestSet, judged: Judge) -> None:
    one = judged("only", lambda n: 1 + n % 3)
    table = tabulate(report_on(hostile, [one]))
    assert [row.head for row in table.figures] == list(one.values)


def test_an_interval_is_shown_in_hundredths() -> None:
    assert shown(Interval(0.1234, 0.1, 0.2)) == "12.3 [10.0, 20.0]"
    assert shown(Interval(0.01, -0.02, 0.04), signed=True) == "+1.0 [-2.0, +4.0]"
