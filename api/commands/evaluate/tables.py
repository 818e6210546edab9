"""What the commands of `footnote eval` print of judged runs: tables, and the same for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.judging import Judged
from evaluation.report.content import Figures
from evaluation.report.table import shown
from evaluation.test_set import TestSet

_SHOWN = ("recall@10", "recall@100", "MRR@10")
_SHOWN_OF_SPANS = ("span recall@5", "span precision@5", "span IoU@5")


def table_of(
    test_set: TestSet, judged: Sequence[Judged], more: Mapping[str, Sequence[str]] | None = None
) -> Table:
    """A row a run; `more` has further columns, by heading."""
    columns = (*_SHOWN, *(_SHOWN_OF_SPANS if test_set.gold else ()))
    added = more or {}
    title = f"{test_set.name}, {len(test_set.questions)} questions"
    table = Table(box=None, title=title)
    for column in ("run", "nDCG@10 (95 %)", *columns, *added):
        table.add_column(column)
    for at, one in enumerate(judged):
        table.add_row(
            one.run.configuration.name,
            shown(one.interval("nDCG@10")),
            *(f"{100 * one.mean(metric):.1f}" for metric in columns),
            *(column[at] for column in added.values()),
        )
    return table


def print_note(test_set: TestSet, console: Console) -> None:
    """What one has to know to read the figures, if there is anything."""
    if test_set.note:
        console.print(test_set.note, soft_wrap=True)


def to_json(test_set: TestSet, runs: Sequence[Figures]) -> dict[str, Any]:
    """Every measure of every run, with its interval."""
    return {
        "set": test_set.name,
        "note": test_set.note,
        "questions": len(test_set.questions),
        "runs": [asdict(one) for one in runs],
    }
