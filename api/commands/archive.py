"""`footnote export` and `footnote import`."""

from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataOption, settings
from api.console import out
from api.progress import tracking
from api.service import open_service
from ingest import archiving


def export_archive(
    kb: Annotated[str, typer.Argument(help="The knowledge base.")],
    file: Annotated[Path, typer.Argument(help="The archive to write, which isn't there yet.")],
    data: DataOption = None,
) -> None:
    """Write a knowledge base to one file: documents, spans, vectors and original bytes."""
    with open_service(settings(data)) as service, tracking() as track:
        found = service.engine.open(kb)
        total, _ = service.engine.knowledge_bases.counts(found)
        count = archiving.export(service.engine, found, file, track("documents", total))
    out.print(f"{file}: {count} documents of {kb}, {file.stat().st_size:,} bytes")


def import_archive(
    file: Annotated[Path, typer.Argument(help="An archive that `footnote export` wrote.")],
    kb: Annotated[
        str | None, typer.Option("--kb", "-k", help="Its name here; by default its own.")
    ] = None,
    data: DataOption = None,
) -> None:
    """Restore a knowledge base from a file. Nothing is embedded; each part is verified."""
    with open_service(settings(data)) as service, tracking() as track:
        found = archiving.restore(service.engine, file, kb, track("documents", 0))
        documents, chunks = service.engine.knowledge_bases.counts(found)
    out.print(f"{found.name}: {documents} documents, {chunks} chunks restored")
