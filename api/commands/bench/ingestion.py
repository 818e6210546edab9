"""What ingestion bears: kills, spoilt files, long runs; and what it reads beside its peers."""

from dataclasses import asdict
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from api.commands.bench.aside import ModelOption, engine_settings
from api.commands.bench.reporting import (
    HtmlOption,
    MarkdownOption,
    check_writable,
    command_line,
    publish,
)
from api.commands.options import JsonOption
from api.console import out, print_json
from api.progress import tracking
from evaluation.beir import read_beir
from evaluation.crash.killing import CrashReport, crash_test
from evaluation.crash.plan import planned
from evaluation.ingest_load import load_test
from evaluation.ingest_report import ingestion_report
from evaluation.intake import take_in
from evaluation.mutations import spoilt
from evaluation.parser_quality import compare, read_cases
from ingest.types import ParseLimits

_FILES = Path("sample_docs")


def crash(
    folder: Annotated[
        Path,
        typer.Option("--files", help="A folder of files.", exists=True, file_okay=False),
    ] = _FILES,
    texts: Annotated[
        Path | None, typer.Option(help="A BEIR folder whose texts are ingested too.")
    ] = None,
    documents: Annotated[int, typer.Option(min=0, help="How many of those texts.")] = 200,
    kills: Annotated[int, typer.Option(min=1, help="How often the process is killed (-9).")] = 50,
    model: Annotated[str, typer.Option(help="The embedding model.")] = "hashing",
    seed: Annotated[int, typer.Option(help="Of the moments of the kills.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Kill an ingesting process at random moments; compare with one that nobody disturbed.

    The exit status is 1 if anything is lost, doubled, seen in part or embedded twice for nothing.
    """
    entries = read_beir(texts).corpus[:documents] if texts else ()
    with TemporaryDirectory(prefix="footnote-crash-") as aside, tracking() as track:
        killed = track("kills", kills)
        plan = planned(_files_in(folder), entries)
        report = crash_test(plan, model, kills, seed, Path(aside), killed)
    if as_json:
        print_json({**asdict(report), "sound": report.sound})
    else:
        _print_crash(report)
    if not report.sound:
        raise typer.Exit(1)


def files(
    folder: Annotated[
        Path, typer.Argument(help="A folder of files.", exists=True, file_okay=False)
    ] = _FILES,
    spoil: Annotated[int, typer.Option(min=0, help="Spoilt copies that are sent too.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="Longest time to read one file.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of what is spoilt, and how.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Send files and spoilt copies of them to ingestion; count what becomes of them.

    The exit status is 1 where one ends in no final state, or without a reason.
    """
    found = _files_in(folder)
    limits = ParseLimits(seconds=seconds)
    with TemporaryDirectory(prefix="footnote-files-") as data, tracking() as track:
        sent = chain(((path.name, path.read_bytes()) for path in found), spoilt(found, spoil, seed))
        intake = take_in(sent, limits, Path(data), track("files", len(found) + spoil))
    if as_json:
        print_json({**asdict(intake), "sound": intake.sound})
    else:
        table = Table("end", "files", box=None)
        for end, count in sorted(intake.ends.items(), key=lambda pair: -pair[1]):
            table.add_row(end, str(count))
        out.print(table)
        name, longest = intake.slowest
        out.print(
            f"{intake.files} files in {intake.seconds:.0f} s, {intake.unfinished} without an end, "
            f"{len(intake.unexplained)} without a reason; the slowest, {name}, {longest:.1f} s."
        )
        for line in intake.unexplained:
            out.print(Text(line))
    if not intake.sound:
        raise typer.Exit(1)


def ingest(
    documents: Annotated[int, typer.Option(min=10, help="PDFs of two pages.")] = 1_000,
    pages: Annotated[int, typer.Option(min=1, help="Pages of a long PDF after them.")] = 1_000,
    model: ModelOption = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ingest many documents and a long one: memory, and the rate beside that of the model alone."""
    check_writable(html, markdown)
    with TemporaryDirectory(prefix="footnote-load-") as data, tracking() as track:
        watch = track("documents", documents + 1 + documents // 2)
        engine = engine_settings(Path(data), model)
        load = load_test(engine, documents, pages, watch)
    report = ingestion_report(load, command_line())
    made = {"machine": report.machine, "made": report.made.isoformat(), "command": report.command}
    figures = {**made, **asdict(load), "share": load.share}
    publish(report, figures, html, markdown, as_json=as_json)


def parsers(
    manifests: Annotated[
        list[Path],
        typer.Argument(help="JSON Lines: `file`, and `truth` (a file) or `expect` (strings)."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Compare what is read of files with their known texts, beside markitdown and pypdf.

    Those come with pip install -e '.[peers]'.
    """
    cases = [case for manifest in manifests for case in read_cases(manifest)]
    with tracking() as track:
        scores = compare(cases, track("files", len(cases)))
    if as_json:
        print_json([asdict(score) for score in scores])
        return
    columns = ("kind", "reader", "files", "read", "error rate", "order", "strings found", "seconds")
    table = Table(*columns, box=None)
    for score in scores:
        shares = (score.error_rate, score.order, score.found)
        table.add_row(
            score.kind,
            score.reader,
            str(score.files),
            str(score.read),
            *("" if share is None else f"{share:.1%}" for share in shares),
            f"{score.seconds:.2f}",
        )
    out.print(table)


def _files_in(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))


def _print_crash(report: CrashReport) -> None:
    table = Table("", "", box=None, show_header=False)
    for name, value in (
        ("kills", report.kills),
        ("documents, chunks", f"{report.documents}, {report.chunks}"),
        ("refused, with a reason", report.failed),
        ("differences to an undisturbed run", "; ".join(report.differences) or "none"),
        ("looks of a reader at a document", report.looked),
        ("that saw it in part", len(report.torn)),
        ("texts embedded", report.embedded),
        ("again, having been in hand at a kill", report.in_hand),
        ("again for nothing", report.again),
        ("seconds", f"{report.seconds:.0f}"),
    ):
        table.add_row(name, str(value))
    out.print(table)
