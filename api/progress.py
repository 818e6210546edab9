"""A progress bar for ingestion, on a terminal only."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from api.console import err
from ingest.folder import Watch


@contextmanager
def ingesting() -> Iterator[Watch]:
    """A watcher that shows files done and chunks embedded while they are ingested."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        files = bar.add_task("files", total=None)
        chunks = bar.add_task("chunks embedded", total=0)

        def watch(files_done: int, files_total: int, embedded: int, chunks_total: int) -> None:
            bar.update(files, completed=files_done, total=files_total)
            bar.update(chunks, completed=embedded, total=chunks_total)

        yield watch
