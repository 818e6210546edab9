"""`footnote bench`: how a server bears load, and ingestion everything else."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import anyio
import typer
from rich.table import Table

from api.commands.options import JsonOption
from api.console import out, print_json
from api.progress import tracking
from evaluation.beir import read_beir
from evaluation.crash.killing import CrashReport, crash_test
from evaluation.crash.plan import planned
from evaluation.load import Flood, first_bytes, flood, made_up

cli = typer.Typer(help="Measure a running server under load, and ingestion.", no_args_is_help=True)

_WARM_UP = 20  # requests that aren't counted

_FILES = Path("sample_docs")

Url = Annotated[str, typer.Argument(help="The server, like http://127.0.0.1:7373.")]


@cli.command()
def calls(
    url: Url,
    model: Annotated[str, typer.Option(help="The embedding model.")] = "all-minilm",
    texts: Annotated[int, typer.Option(min=1, help="Calls at once, a text each.")] = 2_000,
    words: Annotated[int, typer.Option(min=1, help="Words of a text, about.")] = 20,
    repeats: Annotated[int, typer.Option(min=1, help="How often.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Embed texts in full requests, then in a request each, all at once; compare."""
    made = made_up(texts, words)
    found = [anyio.run(flood, url.rstrip("/"), model, made) for _ in range(repeats)]
    if as_json:
        print_json([{**asdict(one), "share": one.share} for one in found])
        return
    table = Table("texts", "answered", "full requests", "at once", "share", box=None)
    for one in found:
        table.add_row(*_row(one))
    out.print(table)
    out.print(f"median share: {statistics.median(one.share for one in found):.2f}")


@cli.command()
def passing(
    url: Url,
    upstream: Annotated[str, typer.Argument(help="The Ollama server behind it.")],
    model: Annotated[str, typer.Option(help="A chat model there.")] = "tiny",
    repeats: Annotated[int, typer.Option(min=1, help="Chats with each.")] = 300,
    as_json: JsonOption = False,
) -> None:
    """Compare the first byte of a streamed chat through the server and directly, in turns."""
    servers = [upstream.rstrip("/"), url.rstrip("/")]
    times = anyio.run(first_bytes, servers, model, repeats + _WARM_UP)
    direct, through = (sorted(one[_WARM_UP:]) for one in times)
    rows = {"direct": _percentiles(direct), "through": _percentiles(through)}
    added = rows["through"]["p50"] - rows["direct"]["p50"]
    if as_json:
        print_json({**rows, "added_p50": added})
        return
    table = Table("", "p50", "p95", box=None)
    for name, row in rows.items():
        table.add_row(name, f"{row['p50']:.2f} ms", f"{row['p95']:.2f} ms")
    out.print(table)
    out.print(f"added at p50: {added:.2f} ms")


@cli.command()
def crash(
    files: Annotated[
        Path, typer.Option(help="A folder of files to ingest.", exists=True, file_okay=False)
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
    found = sorted(path for path in files.rglob("*") if path.is_file() and path.name[0] != ".")
    entries = read_beir(texts).corpus[:documents] if texts else ()
    with TemporaryDirectory(prefix="footnote-crash-") as folder, tracking() as track:
        killed = track("kills", kills)
        plan = planned(found, entries)
        report = crash_test(plan, model, kills, seed, Path(folder), killed)
    if as_json:
        print_json({**asdict(report), "sound": report.sound})
    else:
        _print_crash(report)
    if not report.sound:
        raise typer.Exit(1)


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
        ("again for nothing", report.again - report.in_hand),
        ("seconds", f"{report.seconds:.0f}"),
    ):
        table.add_row(name, str(value))
    out.print(table)


def _row(one: Flood) -> list[str]:
    return [
        str(one.texts),
        str(one.answered),
        f"{one.batched:.0f}/s",
        f"{one.single:.0f}/s",
        f"{one.share:.2f}",
    ]


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """In milliseconds, of sorted values."""
    return {f"p{p}": seconds[(len(seconds) - 1) * p // 100] * 1e3 for p in (50, 95)}
