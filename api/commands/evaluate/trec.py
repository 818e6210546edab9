"""`footnote eval trec`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from api.commands.evaluate.options import MetricOption
from api.commands.evaluate.tables import print_note, table_of
from api.commands.options import JsonOption
from api.console import out, print_json, print_table
from evaluation.judging import Compared, Judged, check_metric
from evaluation.judging import compare as compared
from evaluation.report.content import METRIC
from evaluation.report.table import shown
from evaluation.test_set import TestSet
from evaluation.trec_judging import judge_files, qrels_set


def trec(
    qrels: Annotated[Path, typer.Argument(help="Judgements: `query 0 document grade` a line.")],
    runs: Annotated[
        list[Path], typer.Argument(help="Runs: `query Q0 document rank score tag` a line.")
    ],
    metric: MetricOption = METRIC,
    as_json: JsonOption = False,
) -> None:
    """Judge runs of any system by qrels, both in TREC's formats, and compare them with the first.

    Scores rank, as in trec_eval. A judged query that a run lacks counts as 0; one that isn't judged
    is left out. p is of Fisher's randomisation test, adjusted (Holm) where there are several runs.
    """
    asked = qrels_set(qrels)
    check_metric(asked, metric)
    test_set, judged = judge_files(asked, runs)
    differences = compared(judged[0], judged[1:], metric)
    if as_json:
        print_json(_told(test_set, judged, differences))
        return
    print_table(table_of(test_set, judged, _columns(judged, differences, metric)))
    print_note(test_set, out)


def _columns(
    judged: Sequence[Judged], differences: Sequence[Compared], metric: str
) -> dict[str, list[str]]:
    columns = {}
    if metric != METRIC:
        columns[f"{metric} (95 %)"] = [shown(one.interval(metric)) for one in judged]
    if differences:
        bounds = (shown(one.difference.interval, signed=True) for one in differences)
        columns[f"{metric}, difference to {judged[0].run.configuration.name}"] = ["", *bounds]
        columns["p"] = ["", *(f"{one.p:.4f}" for one in differences)]
    return columns


def _told(
    test_set: TestSet, judged: Sequence[Judged], differences: Sequence[Compared]
) -> dict[str, Any]:
    """As of `retrieval`, but that nothing is known of how the runs were made."""
    return {
        "set": test_set.name,
        "note": test_set.note,
        "questions": len(test_set.questions),
        "runs": [
            {
                "name": one.run.configuration.name,
                "metrics": {key: asdict(one.interval(key)) for key in one.values},
            }
            for one in judged
        ],
        "differences": [asdict(one) for one in differences],
    }
