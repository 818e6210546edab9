"""A folder and its mirror in a knowledge base: what is added, changed, renamed or deleted there.

What hasn't changed is told by its hash; while a folder is watched, by its size and time.
"""

import stat
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from watchfiles import watch

from ingest import sources
from ingest.errors import SourceNotFound
from ingest.folder import Report, Watch, ingest_files
from ingest.pipeline import Pipeline
from ingest.sources import Patterns
from ingest.unpacking import inside
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.types import KnowledgeBase

Stamp = tuple[int, int]
"""Size and time of a file."""

_LOOK = 60_000  # milliseconds after which a watched folder is looked at, though nothing was seen


class Mirror:
    """Brings the documents of a knowledge base to where the files of a folder are."""

    def __init__(
        self,
        engine: Engine,
        pipeline: Pipeline,
        name: str,
        folder: Path,
        patterns: Patterns,
        *,
        may_empty: bool = False,
    ) -> None:
        """`may_empty` believes a folder that had documents and holds no file any more."""
        self._engine = engine
        self._pipeline = pipeline
        self._name = name
        self._folder = folder.resolve()
        self._patterns = patterns
        self._may_empty = may_empty
        self._seen: dict[Path, Stamp | None] = {}

    def update(self, progress: Watch) -> tuple[Report, int]:
        """Ingest what is new, then forget what is gone: the report, and how many were forgotten.

        New files come first, so a renamed one finds its vectors. What can't be looked at isn't
        taken for gone. Raises SourceNotFound, and InvalidRequest where a folder that had
        documents has none: a disk that isn't mounted looks like that.
        """
        if not self._folder.is_dir():
            raise SourceNotFound(f"There is no folder {str(self._folder)!r}.")
        kb = self._engine.open(self._name)
        files, _ = sources.find([self._folder], self._patterns)
        known = self._mirrored(kb)
        if known and not files and not self._may_empty:
            raise InvalidRequest(
                f"{str(self._folder)!r} holds no file, but {len(known)} documents are from there: "
                f"is it mounted? --allow-empty deletes them."
            )
        stamps = {path: _stamp(path) for path in files}
        changed = [
            path for path in files if not stamps[path] or self._seen.get(path) != stamps[path]
        ]
        report = ingest_files(self._pipeline, kb, changed, progress, unique=False)
        again = {row.path for row in report.rows if row.may_pass}
        self._seen = {p: stamp for p, stamp in stamps.items() if sources.shown(p) not in again}
        return report, self._forget(kb, _gone(known, stamps, report))

    def follow(
        self, stop: threading.Event, told: Callable[[Report, int], None], progress: Watch
    ) -> None:
        """Update whenever something changes in the folder, until told to stop.

        What failed of something that may pass is tried again; it is told of once.
        """
        failed: set[tuple[str, str | None]] = set()
        for _ in watch(self._folder, stop_event=stop, rust_timeout=_LOOK, yield_on_timeout=True):
            if stop.is_set():
                return
            report, forgotten = self.update(progress)
            before, failed = failed, {(row.uri, row.error) for row in report.rows if row.error}
            if forgotten or failed - before or len(report.rows) > report.failed:
                told(report, forgotten)

    def _mirrored(self, kb: KnowledgeBase) -> dict[str, str]:
        """The documents from below the folder, by uri."""
        below = self._folder.as_uri() + "/"
        total, _ = self._engine.knowledge_bases.counts(kb)
        listed = self._engine.documents.list(kb, limit=max(total, 1))
        return {one.uri: one.id for one in listed if one.uri.startswith(below)}

    def _forget(self, kb: KnowledgeBase, gone: Collection[str]) -> int:
        forgotten = 0
        for document_id in gone:
            try:
                self._engine.indexer.remove(kb, document_id)
                forgotten += 1
            except DocumentNotFound:
                continue  # somebody else was quicker
        return forgotten


def _gone(
    known: Mapping[str, str], stamps: Mapping[Path, Stamp | None], report: Report
) -> list[str]:
    """Of the known documents those that have no file, or no place any more in their archive."""
    there = {path.as_uri() for path in stamps}
    hidden = tuple(f"{path.as_uri()}/" for path, stamp in stamps.items() if stamp is None)
    read = {row.uri for row in report.rows}
    reread = {archive for uri in read if (archive := inside(uri))} - read
    gone = []
    for uri, document_id in known.items():
        archive = inside(uri)
        if uri.startswith(hidden) or uri in there:
            continue
        if archive in there and (archive not in reread or uri in read):
            continue
        gone.append(document_id)
    return gone


def _stamp(path: Path) -> Stamp | None:
    """None for what can't be looked at: a folder that `sources.find` couldn't list."""
    try:
        status = path.stat()
    except OSError:
        return None
    return None if stat.S_ISDIR(status.st_mode) else (status.st_size, status.st_mtime_ns)
