import re
from datetime import date

import pytest

from evaluation.judging import Judged
from evaluation.report.content import Report, report_on
from evaluation.report.markdown import to_markdown
from evaluation.report.table import tabulate
from evaluation.test_set import TestSet
from tests.evaluation.report.conftest import HOSTILE


@pytest.fixture
def report(hostile: TestSet, runs: list[Judged]) -> Report:
    one = report_on(hostile, runs)
    return Report("A CPU <b>, 2 cores", date(2026, 11, 21), "footnote `` --out x", (one, one))


def plain(markdown: str) -> str:
    """A text as it is read: escapes undone, white space as a renderer has it."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def tables(markdown: str) -> list[list[list[str]]]:
    """The cells of each table, which is parted at bars that aren't escaped."""
    found = []
    for block in markdown.split("\n\n"):
        if block.startswith("|"):
            lines = [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in block.splitlines()]
            found.append([[plain(cell.strip()) for cell in line] for line in lines])
    return found


def test_a_set_is_a_table_of_its_figures(report: Report) -> None:
    found = tables(to_markdown(report))
    assert len(found) == 2
    head, under, *rows = found[0]
    table = tabulate(report.sets[0])
    assert head == ["", *(" ".join(name.split()) for name in table.runs)]
    assert set(under) == {"---", "---:"}
    assert rows == [[row.head, *row.cells] for row in (*table.settings, *table.figures)]


def test_no_name_is_more_than_text(report: Report) -> None:
    markdown = to_markdown(report)
    assert re.findall(r"(?<!\\)<", markdown) == []
    [title, *_] = [line for line in markdown.splitlines() if line.startswith("## ")]
    assert plain(title) == f"## set {' '.join(HOSTILE.split())}: 45 documents, 30 questions"


def test_it_says_how_it_was_made(report: Report) -> None:
    line = to_markdown(report).split("\n\n")[1]
    assert line == r"A CPU \<b\>, 2 cores; 2026-11-21; ``` footnote `` --out x ```"
