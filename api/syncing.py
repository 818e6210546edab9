"""Folders that are mirrored while a server runs: the setting FOOTNOTE_SYNC.

Of processes that share a catalogue and name the same folder one mirrors it; where that one ends,
another does.
"""

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
from retrieval.works import Work

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
    def told(report: Report, forgotten: int) -> None:
        if report.rows or forgotten:
            _log.info("synced", knowledge_base=name, **report.counts(), forgotten=forgotten)

    def mirrored(work: Work) -> None:
        def go_on(*_: object) -> None:
            if stop.is_set() or work.is_lost:
                raise _Stopped

        service.engine.create(name)
        mirror = Mirror(service.engine, service.pipeline, name, folder, Patterns())
        told(*mirror.update(go_on))
        mirror.follow(stop, told, go_on)

    while not stop.is_set():
        try:
            with service.engine.works.turn(f"sync {name} {folder.resolve().as_uri()}") as work:
                if work:
                    mirrored(work)
            stop.wait(_AGAIN)  # another process mirrors it, as long as that lives
        except _Stopped:
            continue
        except (IngestError, RetrievalError, OSError) as error:
            _log.warning("sync_failed", knowledge_base=name, folder=str(folder), error=str(error))
            stop.wait(_AGAIN)


class _Stopped(Exception):
    """The server ends, or another process has the folder, which does what is left."""
