"""`footnote eval retrieval`, `compare`, `gate` and `chunking`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.commands.options import DataOption, JsonOption, settings
from api.console import out, print_json
from api.progress import tracking
from evaluation.configuration import Configuration
from evaluation.gate import check, write_baseline
from evaluation.judging import Judged
from evaluation.judging import compare as compared
from evaluation.measuring import measure
from evaluation.significance import Interval
from evaluation.test_set import TestSet, read_set, read_spans
from retrieval.types import Mode

Folder = Annotated[
    Path,
    typer.Argument(
        help="A set: corpus.jsonl, queries.jsonl and qrels/test.tsv, or docs/ and questions.jsonl."
    ),
]
Folders = Annotated[list[Path], typer.Argument(help="Sets: see `footnote eval compare`.")]
RunOption = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        help="A run, as 'NAME: mode=hybrid, fusion=rrf, weight=0.5, model=NAME, tokens=128, "
        "overlap=16'; what isn't said stays as it is. By default dense, lexical and hybrid.",
    ),
]
QueriesOption = Annotated[
    int, typer.Option("--queries", min=1, help="At most so many questions of a set, by chance.")
]
SeedOption = Annotated[int, typer.Option(help="Which those are.")]
MetricOption = Annotated[str, typer.Option(help="What is compared.")]
_ALL = 1_000_000
_SIZES, _OVERLAPS = (0, 64, 128), (32, 0)
_MODES = (Mode.DENSE, Mode.LEXICAL, Mode.HYBRID)
_SHOWN = ("recall@10", "recall@100", "MRR@10")
_SHOWN_OF_SPANS = ("span recall@5", "span precision@5", "span IoU@5")


def retrieval(
    folders: Folders,
    run: RunOption = None,
    whole: Annotated[
        bool,
        typer.Option("--whole", help="Also a vector a document, cut at the window, as in BEIR."),
    ] = False,
    queries: QueriesOption = _ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rank sets by each leg and by both, or as --run says, with 95 % intervals.

    Indexes and runs are kept in the data directory under evaluation/: what has been done already
    isn't done again, unless the code has changed.
    """
    model = settings(data).embedding_model
    asked = [Configuration.parse(one, model) for one in run or ()]
    if not asked:
        asked = [Configuration(mode.value, mode, model=model) for mode in _MODES]
    if whole:
        asked.append(Configuration("whole", Mode.DENSE, model=model, whole=True))
    reports = []
    for folder in folders:
        test_set = read_set(folder).sample(queries, seed)
        judged = _measured(test_set, asked, data)
        reports.append(_to_json(test_set, judged))
        if not as_json:
            out.print(_table(test_set, judged))
    if as_json:
        print_json(reports)


def compare(
    folder: Folder,
    baseline: Annotated[str, typer.Argument(help="A run, as for `footnote eval retrieval`.")],
    others: Annotated[list[str], typer.Argument(help="The runs to compare with it.")],
    metric: MetricOption = "nDCG@10",
    queries: QueriesOption = _ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """How much better other runs are than one, question by question: difference, interval, p.

    p is of Fisher's randomisation test, adjusted (Holm) where there are several runs.
    """
    model = settings(data).embedding_model
    asked = [Configuration.parse(one, model) for one in (baseline, *others)]
    test_set = read_set(folder).sample(queries, seed)
    first, *rest = _measured(test_set, asked, data)
    found = compared(first, rest, metric)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    name = first.run.configuration.name
    table = Table("run", metric, f"difference to {name}", "p", box=None, title=test_set.name)
    table.add_row(name, _shown(first.interval(metric)), "", "")
    for one, judged in zip(found, rest, strict=True):
        table.add_row(
            one.name,
            _shown(judged.interval(metric)),
            _shown(one.difference.interval, signed=True),
            f"{one.p:.4f}",
        )
    out.print(table)


def gate(
    folder: Folder,
    baseline: Annotated[Path, typer.Option(help="A file that --write has written.")],
    write: Annotated[bool, typer.Option("--write", help="Write the baseline.")] = False,
    tolerance: Annotated[
        float, typer.Option(min=0, help="What may be lost in the mean, as a share of 1.")
    ] = 0.0,
    run: Annotated[str, typer.Option(help="What is measured; see `retrieval`.")] = "hybrid",
    metric: MetricOption = "nDCG@10",
    queries: QueriesOption = _ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fail where retrieval is significantly worse than it was: exit status 1, for CI."""
    asked = Configuration.parse(run, settings(data).embedding_model)
    test_set = read_set(folder).sample(queries, seed)
    [judged] = _measured(test_set, [asked], data)
    if write:
        write_baseline(baseline, judged)
        out.print(f"{baseline} is written: {metric} {_shown(judged.interval(metric))}.")
        return
    verdict = check(baseline, judged, metric, tolerance)
    if as_json:
        print_json(asdict(verdict))
    else:
        word = "passes" if verdict.passes else "fails"
        out.print(
            f"{test_set.name} {word}: {metric} {100 * verdict.after:.1f}, before "
            f"{100 * verdict.before:.1f} (difference {100 * verdict.low:+.1f} to "
            f"{100 * verdict.high:+.1f}, p {verdict.p:.4f}, {verdict.questions} questions)."
        )
    if not verdict.passes:
        raise typer.Exit(1)


def chunking(
    folders: Folders,
    tokens: Annotated[
        list[int] | None, typer.Option(help="Sizes; may be repeated. By default 0, 64 and 128.")
    ] = None,
    overlap: Annotated[
        list[int] | None, typer.Option(help="Overlaps; may be repeated. By default 32 and 0.")
    ] = None,
    metric: MetricOption = "span IoU@5",
    queries: QueriesOption = _ALL,
    seed: SeedOption = 0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare sizes and overlaps of chunks on sets with gold spans, each with the first.

    Size 0 is the embedder's window, or 512.
    """
    model = settings(data).embedding_model
    asked = [
        Configuration(f"{size or 'window'}/{over}", model=model, tokens=size, overlap=over)
        for size in tokens or _SIZES
        for over in overlap or _OVERLAPS
    ]
    reports = []
    for folder in folders:
        test_set = read_spans(folder).sample(queries, seed)
        judged = _measured(test_set, asked, data)
        differences = compared(judged[0], judged[1:], metric)
        reports.append(
            _to_json(test_set, judged) | {"differences": [asdict(one) for one in differences]}
        )
        if as_json:
            continue
        told = ("", *(_shown(one.difference.interval, signed=True) for one in differences))
        p = ("", *(f"{one.p:.4f}" for one in differences))
        out.print(_table(test_set, judged, {f"{metric}, difference": told, "p": p}))
    if as_json:
        print_json(reports)


def _measured(test_set: TestSet, asked: Sequence[Configuration], data: Path | None) -> list[Judged]:
    with tracking() as track:
        return measure(test_set, asked, settings(data).data / "evaluation", track)


def _table(
    test_set: TestSet, judged: Sequence[Judged], more: Mapping[str, Sequence[str]] | None = None
) -> Table:
    shown = (*_SHOWN, *(_SHOWN_OF_SPANS if test_set.gold else ()))
    added = more or {}
    title = f"{test_set.name}, {len(test_set.questions)} questions"
    table = Table(box=None, title=title)
    for column in ("run", "nDCG@10 (95 %)", *shown, *added):
        table.add_column(column, no_wrap=column not in shown)
    for at, one in enumerate(judged):
        table.add_row(
            one.run.configuration.name,
            _shown(one.interval("nDCG@10")),
            *(f"{100 * one.mean(metric):.1f}" for metric in shown),
            *(column[at] for column in added.values()),
        )
    return table


def _shown(bounds: Interval, *, signed: bool = False) -> str:
    form = "+.1f" if signed else ".1f"
    mean, low, high = (format(100 * one, form) for one in (bounds.mean, bounds.low, bounds.high))
    return f"{mean} [{low}, {high}]"


def _to_json(test_set: TestSet, judged: Sequence[Judged]) -> dict[str, Any]:
    return {
        "set": test_set.name,
        "questions": len(test_set.questions),
        "runs": [
            {
                "configuration": asdict(one.run.configuration),
                "metrics": {metric: asdict(one.interval(metric)) for metric in one.values},
            }
            for one in judged
        ],
    }
