"""Progress bars, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from api.console import err
from ingest.folder import Watch

Track = Callable[[str, int], Callable[[int], None]]
"""Starts a bar of a name and a total; what it returns is told how far it is."""


@contextmanager
def ingesting() -> Iterator[Watch]:
    """A watcher that shows files done and chunks embedded while they are ingested."""
    with _bars() as bar:
        files = bar.add_task("files", total=None)
        chunks = bar.add_task("chunks embedded", total=0)

        def watch(files_done: int, files_total: int, embedded: int, chunks_total: int) -> None:
            bar.update(files, completed=files_done, total=files_total)
            bar.update(chunks, completed=embedded, total=chunks_total)

        yield watch


@contextmanager
def tracking() -> Iterator[Track]:
    """Starts bars, one below the other."""
    with _bars() as bar:

        def track(what: str, total: int) -> Callable[[int], None]:
            task = bar.add_task(what, total=total)
            return lambda done: bar.update(task, completed=done)

        yield track


def _bars() -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


@contextmanager
def downloading() -> Iterator[Callable[[str, int, int], None]]:
    """Told a status with bytes done and in all, shows a bar for each; off a terminal, a line."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        tasks: dict[str, TaskID] = {}

        def told(status: str, completed: int, total: int) -> None:
            if status not in tasks:
                tasks[status] = bar.add_task(status, total=total or None)
                if not err.is_terminal:
                    err.print(status)
            bar.update(tasks[status], completed=completed, total=total or None)

        yield told
