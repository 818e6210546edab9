"""`footnote sync`."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from api.commands.ingest import print_report
from api.commands.options import (
    DEFAULT_KB,
    DataOption,
    ExcludeOption,
    IncludeOption,
    JsonOption,
    KnowledgeBaseOption,
    patterns,
    settings,
)
from api.console import out, print_json
from api.progress import ingesting
from api.service import open_service
from ingest.folder import Report
from ingest.mirroring import Mirror


def sync(
    folder: Annotated[Path, typer.Argument(help="The folder.")],
    kb: KnowledgeBaseOption = DEFAULT_KB,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until interrupted, at every change.")
    ] = False,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Believe a folder that holds no file any more.")
    ] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mirror a folder: new and changed files are ingested, deleted ones forgotten.

    What hasn't changed costs nothing. The exit status is 1 where a file can't be read. A running
    server mirrors folders itself: FOOTNOTE_SYNC=KB=FOLDER.
    """
    failed = False

    def told(report: Report, forgotten: int) -> None:
        nonlocal failed
        failed = bool(report.failed)
        if as_json:
            print_json({**report.to_json(), "forgotten": forgotten})
            return
        if report.rows:
            print_report(report)
        out.print(f"{forgotten} documents forgotten, whose files are gone.")

    wanted = patterns(include, exclude)
    with open_service(settings(data)) as service, ingesting() as progress:
        service.engine.create(kb)
        mirror = Mirror(service.engine, service.pipeline, kb, folder, wanted, may_empty=allow_empty)
        told(*mirror.update(progress))
        if watch:
            mirror.follow(threading.Event(), told, progress)
    if failed:
        raise typer.Exit(1)
