"""`footnote eval retrieval`, `compare` and `chunking`."""

from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.table import Table

from api.commands.evaluate.measuring import measured, usual
from api.commands.evaluate.options import (
    ALL,
    Folder,
    Folders,
    MetricOption,
    QueriesOption,
    ReportOption,
    RunOption,
    SeedOption,
)
from api.commands.evaluate.reporting import ReportFolder
from api.commands.evaluate.tables import print_note, table_of, to_json
from api.commands.options import DataOption, JsonOption
from api.console import err, out, print_json, print_table
from evaluation.configuration import Configuration
from evaluation.judging import BY_LENGTH, check_metric, pooled, recommended
from evaluation.judging import compare as compared
from evaluation.report.content import Figures
from evaluation.report.table import shown
from evaluation.test_set import read_set, read_spans
from retrieval.types import Mode

_SIZES, _OVERLAPS = (0, 64, 128), (32, 0)
_MODES = (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID)


def retrieval(
    folders: Folders,
    run: RunOption = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Also a vector a document, cut at the window, as in BEIR."),
    ] = False,
    queries: QueriesOption = ALL,
    seed: SeedOption = 0,
    into: ReportOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank sets by each leg and by both, or as --run says, with 95 % intervals.

    Indexes and runs are kept in the data directory under evaluation/: what has been done already
    isn't done again, unless the code has changed.
    """
    base = usual(data)
    asked = [Configuration.parse(one, base) for one in run or ()]
    if not asked:
        asked = [replace(base, name=mode.value, mode=mode) for mode in _MODES]
    if whole:
        asked.append(replace(base, name="whole", mode=Mode.DENSE, whole=True))
    report = ReportFolder(into) if into else None
    told = []
    for folder in folders:
        test_set = read_set(folder).sample(queries, seed)
        judged = measured(test_set, asked, data)
        if not as_json:
            print_table(table_of(test_set, judged))
            print_note(test_set, out)
        if report:
            told.append(to_json(test_set, report.add(test_set, judged)))
        elif as_json:
            told.append(to_json(test_set, [Figures.of(one) for one in judged]))
    if as_json:
        print_json(told)
    if report:
        report.finish(told)
        report.tell(err if as_json else out)


def compare(
    folder: Folder,
    baseline: Annotated[str, typer.Argument(help="A run, as for `footnote eval retrieval`.")],
    others: Annotated[list[str], typer.Argument(help="The runs to compare with it.")],
    metric: MetricOption = "nDCG@10",
    queries: QueriesOption = ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """How much better other runs are than one, question by question: difference, interval, p.

    p is of Fisher's randomisation test, adjusted (Holm) where there are several runs.
    """
    base = usual(data)
    asked = [Configuration.parse(one, base) for one in (baseline, *others)]
    test_set = read_set(folder).sample(queries, seed)
    check_metric(test_set, metric)
    first, *rest = measured(test_set, asked, data)
    found = compared(first, rest, metric)
    print_note(test_set, err)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    name = first.run.configuration.name
    table = Table("run", metric, f"difference to {name}", "p", box=None, title=test_set.name)
    table.add_row(name, shown(first.interval(metric)), "", "")
    for one, judged in zip(found, rest, strict=True):
        table.add_row(
            one.name,
            shown(judged.interval(metric)),
            shown(one.difference.interval, signed=True),
            f"{one.p:.4f}",
        )
    print_table(table)


def chunking(
    folders: Folders,
    tokens: Annotated[
        list[int] | None, typer.Option(help="Sizes; may be repeated. By default 0, 64 and 128.")
    ] = None,
    overlap: Annotated[
        list[int] | None, typer.Option(help="Overlaps; may be repeated. By default 32 and 0.")
    ] = None,
    metric: MetricOption = BY_LENGTH,
    queries: QueriesOption = ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare sizes and overlaps of chunks on sets with gold spans, each with the first.

    Size 0 is the embedder's window, or 512. By default the measure is how much of the gold is in
    the first 4,000 characters that are found, so that small chunks aren't better by being small.
    What is recommended is the best of those that are significantly better than the first, over all
    sets; if none is, the first.
    """
    base = usual(data)
    asked = [
        replace(base, name=f"{size or 'window'}/{over}", tokens=size, overlap=over)
        for size in tokens or _SIZES
        for over in overlap or _OVERLAPS
    ]
    by_set = []
    reports = []
    for folder in folders:
        test_set = read_spans(folder).sample(queries, seed)
        check_metric(test_set, metric)
        judged = measured(test_set, asked, data)
        by_set.append(judged)
        differences = compared(judged[0], judged[1:], metric)
        if as_json:
            report = to_json(test_set, [Figures.of(one) for one in judged])
            reports.append(report | {"differences": [asdict(one) for one in differences]})
            continue
        means = [shown(one.interval(metric)) for one in judged]
        told = ("", *(shown(one.difference.interval, signed=True) for one in differences))
        p = ("", *(f"{one.p:.4f}" for one in differences))
        print_table(table_of(test_set, judged, {metric: means, "difference": told, "p": p}))
    first, *rest = pooled(by_set)
    overall = compared(first, rest, metric)
    best = recommended(overall)
    if as_json:
        name = best.name if best else asked[0].name
        found = {"recommended": name, "differences": [asdict(one) for one in overall]}
        print_json({"sets": reports, "overall": found})
        return
    for one in overall:
        bounds = shown(one.difference.interval, signed=True)
        out.print(f"{one.name} against {asked[0].name}, all sets: {bounds}, p {one.p:.4f}")
    why = "the best that is significantly better" if best else "none is significantly better"
    out.print(f"Recommended: {best.name if best else asked[0].name}, {why}.")
