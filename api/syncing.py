"""Folders that are mirrored while a server runs: the setting FOOTNOTE_SYNC."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from api.service import Service
from ingest.errors import IngestError
from ingest.folder import Report
from ingest.mirroring import Mirror
from ingest.sources import Patterns
from retrieval.errors import InvalidRequest, RetrievalError

_log = structlog.get_logger()

_AGAIN = 60.0  # seconds after which a folder is looked at again that couldn't be


@contextmanager
def mirroring(service: Service) -> Iterator[None]:
    """Mirror the folders of the settings until the block ends. Raises InvalidRequest."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_mirror, args=(service, name, folder, stop), name=f"sync-{name}")
        for name, folder in folders(service.settings.sync)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def folders(setting: str) -> list[tuple[str, Path]]:
    """The knowledge bases and folders that a setting names. Raises InvalidRequest."""
    found = []
    for part in filter(None, map(str.strip, setting.split(","))):
        name, _, folder = map(str.strip, part.partition("="))
        if not (name and folder):
            raise InvalidRequest(f"FOOTNOTE_SYNC has {part!r}; it takes KB=FOLDER, with commas.")
        found.append((name, Path(folder)))
    return found


def _mirror(service: Service, name: str, folder: Path, stop: threading.Event) -> None:
    def stopped(*_: object) -> None:
        if stop.is_set():
            raise _Stopped

    def told(report: Report, forgotten: int) -> None:
        if report.rows or forgotten:
            _log.info("synced", knowledge_base=name, **report.counts(), forgotten=forgotten)

    while not stop.is_set():
        try:
            service.engine.create(name)
            mirror = Mirror(service.engine, service.pipeline, name, folder, Patterns())
            told(*mirror.update(stopped))
            mirror.follow(stop, told, stopped)
        except _Stopped:
            return
        except (IngestError, RetrievalError, OSError) as error:
            _log.warning("sync_failed", knowledge_base=name, folder=str(folder), error=str(error))
            stop.wait(_AGAIN)


class _Stopped(Exception):
    """The server ends; what is left is done at the next start."""
