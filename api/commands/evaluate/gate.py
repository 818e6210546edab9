"""`footnote eval gate`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from api.commands.evaluate.measuring import measured, usual
from api.commands.evaluate.options import ALL, Folder, MetricOption, QueriesOption, SeedOption
from api.commands.evaluate.tables import print_note
from api.commands.options import DataOption, JsonOption
from api.console import err, fail, out, print_json
from evaluation.configuration import Configuration
from evaluation.errors import EvaluationError
from evaluation.gate import (
    Verdict,
    check,
    check_documents,
    check_questions,
    check_writable,
    read_baseline,
    write_baseline,
)
from evaluation.report.table import shown
from evaluation.test_set import TestSet, read_set
from ingest.errors import IngestError
from retrieval.errors import RetrievalError


def gate(
    folder: Folder,
    baseline: Annotated[Path, typer.Option(help="A file that --write has written.")],
    write: Annotated[bool, typer.Option("--write", help="Write the baseline.")] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, help="What may be lost in the mean, as a share of 1.")
    ] = 0.0,
    run: Annotated[str, typer.Option(help="What is measured; see `retrieval`.")] = "hybrid",
    metric: MetricOption = "nDCG@10",
    queries: QueriesOption = ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fail where retrieval is significantly worse than it was: exit status 1, for CI.

    It is worse where the mean lost more than the tolerance, and p of that being chance is below
    0.05. Anything else that is wrong ends it with status 2.
    """
    try:
        asked = Configuration.parse(run, usual(data))
        test_set = read_set(folder).sample(queries, seed)
        check_questions(test_set, metric)
        print_note(test_set, err)
        if write:
            _write(baseline, test_set, asked, metric, data)
            return
        kept = read_baseline(baseline)
        check_documents(kept, test_set)
        [judged] = measured(test_set, [asked], data)
        verdict = check(kept, judged, test_set, metric, tolerance)
    except (EvaluationError, IngestError, RetrievalError) as error:
        fail(str(error), 2)
    if as_json:
        print_json(asdict(verdict))
    else:
        _print(test_set, verdict)
    if not verdict.passes:
        raise typer.Exit(1)


def _write(
    path: Path, test_set: TestSet, asked: Configuration, metric: str, data: Path | None
) -> None:
    check_writable(path)
    [judged] = measured(test_set, [asked], data)
    write_baseline(path, judged, test_set)
    told = f"{path} is written: {metric} {shown(judged.interval(metric))}."
    out.print(told, soft_wrap=True)


def _print(test_set: TestSet, verdict: Verdict) -> None:
    word = "passes" if verdict.passes else "fails"
    out.print(
        f"{test_set.name} {word}: {verdict.metric} {100 * verdict.after:.1f}, before "
        f"{100 * verdict.before:.1f} (difference {100 * verdict.low:+.1f} to "
        f"{100 * verdict.high:+.1f}, p {verdict.p:.4f}, {verdict.questions} questions).",
        soft_wrap=True,
    )
    if verdict.baseline:
        told = ", ".join(f"{key}={value}" for key, value in verdict.baseline.items())
        out.print(f"The baseline is of another configuration: {told}.", soft_wrap=True)
