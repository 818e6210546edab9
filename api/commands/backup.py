"""`footnote backup` and `footnote restore`."""

import time
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.commands.doctor import print_findings
from api.commands.options import DataOption, JsonOption, settings
from api.console import err, out, print_json
from api.progress import tracking
from api.settings import Settings
from api.version import VERSION
from retrieval.backup import back_up
from retrieval.embedding.cache import forget_unused
from retrieval.engine import open_engine
from retrieval.errors import InvalidRequest
from retrieval.inspection import Inspection
from retrieval.originals import originals
from retrieval.restoring import restore as lay_out


def backup(
    target: Annotated[
        Path, typer.Argument(help="A folder, or a file that ends in .tar; a folder may be reused.")
    ],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy everything, as it is at one moment, while a server goes on writing.

    The models and what is kept of them aren't in it. The exit status is 1 where original bytes
    were gone or damaged already.
    """
    found = settings(data)
    _check(found)
    with closing(originals(found.engine())) as blobs, tracking() as track:
        done = track("originals", 0)
        made = back_up(found.data, blobs, target, VERSION, time.time(), done)
    if as_json:
        print_json({"target": str(target), **asdict(made)})
    else:
        out.print(f"{target}: {made.documents} documents, {made.originals} originals")
    if made.lost:
        err.print(f"{len(made.lost)} originals were gone or damaged: see `footnote doctor`.")
        raise typer.Exit(1)


def restore(
    source: Annotated[Path, typer.Argument(help="What `footnote backup` wrote.")],
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lay a backup out in a directory that holds nothing yet, and look through all of it.

    Nothing is embedded. Originals that are damaged are left out and told. Jobs that weren't over go
    on when a server starts; whoever was signed in signs in again. The exit status is 1 where
    something is wrong and can't be mended.
    """
    found = settings(data)
    _check(found)
    with closing(originals(found.engine())) as blobs, tracking() as track:
        made, gone = lay_out(source, found.data, blobs, track("originals", 0))
    with open_engine(found.engine()) as engine:
        forget_unused(engine.database)  # what a job that ended in between left
        findings = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=True)
        live = [key.name for key in engine.keys.all() if key.state(time.time()) == "live"]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_findings(findings)
    if gone:
        err.print(
            f"{len(gone)} originals are gone or damaged in {source}; the text of their documents "
            f"is there: {' '.join(gone[:3])}"
        )
    if live:
        made_at = datetime.fromtimestamp(made.made_at).isoformat(" ", "seconds")
        err.print(
            f"The keys of {made_at} are valid here, also those that were revoked later: "
            f"{', '.join(live)}. `footnote keys revoke` ends those that shouldn't be."
        )
    if any(not finding.ok and not finding.mended for finding in findings):
        raise typer.Exit(1)


def _check(found: Settings) -> None:
    if found.database_url.get_secret_value():
        raise InvalidRequest(
            "A backup holds a catalogue in SQLite, and FOOTNOTE_DATABASE_URL names another: take "
            "a dump of that one (pg_dump), then a copy of its originals: `blobs` in the data "
            "directory, or what is at FOOTNOTE_BLOBS_URL."
        )
