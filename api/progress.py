"""Progress bars, on a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
