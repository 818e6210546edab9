"""A report as Markdown, to be pasted where others read it."""

import re
from collections.abc import Iterator

from evaluation.report.content import Report, SetReport
from evaluation.report.table import tabulate

_MARKS = re.compile(r"([\\`*_{}\[\]<>|#~&!])")
_TICKS = re.compile("`+")


def to_markdown(report: Report) -> str:
    """A table a set, and how it was made."""
    made = f"{plain(report.machine)}; {report.made.isoformat()}; {code(report.command)}"
    parts = ["# Retrieval report", made, "Means × 100, with 95 % intervals."]
    for one in report.sets:
        parts += [f"## {_title(one)}", *([plain(one.note)] if one.note else [])]
        parts.append("\n".join(_table(one)))
    return "\n\n".join(parts) + "\n"


def _title(one: SetReport) -> str:
    return f"{plain(one.name)}: {one.documents:,} documents, {one.questions:,} questions"


def _table(one: SetReport) -> Iterator[str]:
    table = tabulate(one)
    yield table_row("", *map(plain, table.runs))
    yield table_row("---", *("---:" for _ in table.runs))
    for row in table.settings:
        yield table_row(row.head, *map(plain, row.cells))
    for row in table.figures:
        yield table_row(plain(row.head), *row.cells)


def table_row(*cells: str) -> str:
    """Of a table."""
    return f"| {' | '.join(cells)} |"


def plain(text: str) -> str:
    """On one line, and of no meaning to Markdown: a name must not end a cell, nor be HTML."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """A code span, between more backticks than there are in it."""
    ticks = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    space = " " if len(ticks) > 1 else ""
    return f"{ticks}{space}{' '.join(text.split())}{space}{ticks}"
