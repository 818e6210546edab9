"""A folder and its mirror in a knowledge base: what is added, changed, renamed or deleted there.

What hasn't changed is told by its hash; while a folder is watched, by its size and time.
"""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from watchfiles import watch

from ingest import sources
from ingest.errors import SourceNotFound
from ingest.folder import Report, Watch, ingest_paths
from ingest.pipeline import Pipeline
from ingest.sources import Patterns
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.types import KnowledgeBase

Stamp = tuple[int, int]
"""Size and time of a file."""


class Mirror:
    """Brings the documents of a knowledge base to where the files of a folder are."""

    def __init__(
        self, engine: Engine, pipeline: Pipeline, name: str, folder: Path, patterns: Patterns
    ) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._name = name
        self._folder = folder.resolve()
        self._patterns = patterns
        self._seen: dict[Path, Stamp] = {}

    def update(self, progress: Watch, *, may_empty: bool = False) -> tuple[Report, int]:
        """Ingest what is new, then forget what is gone: the report, and how many were forgotten.

        New files come first, so a renamed one finds its vectors. Raises SourceNotFound, and
        InvalidRequest where a folder that had documents has none: a disk that isn't mounted
        looks like that.
        """
        if not self._folder.is_dir():
            raise SourceNotFound(f"There is no folder {str(self._folder)!r}.")
        kb = self._engine.open(self._name)
        files, _ = sources.find([self._folder], self._patterns)
        known = self._mirrored(kb)
        if known and not files and not may_empty:
            raise InvalidRequest(
                f"{str(self._folder)!r} holds no file, but {len(known)} documents are from there: "
                f"is it mounted? --allow-empty deletes them."
            )
        stamps = {path: stamp for path in files if (stamp := _stamp(path))}
        changed = [path for path in files if self._seen.get(path) != stamps.get(path)]
        report = ingest_paths(self._pipeline, kb, changed, self._patterns, progress, unique=False)
        self._seen = stamps
        return report, self._forget(kb, known, files)

    def follow(
        self, stop: threading.Event, told: Callable[[Report, int], None], progress: Watch
    ) -> None:
        """Update whenever something changes in the folder, until told to stop."""
        for _ in watch(self._folder, stop_event=stop, rust_timeout=1_000, yield_on_timeout=False):
            told(*self.update(progress))

    def _mirrored(self, kb: KnowledgeBase) -> dict[str, str]:
        """The documents from below the folder, by uri."""
        below = self._folder.as_uri() + "/"
        total, _ = self._engine.knowledge_bases.counts(kb)
        listed = self._engine.documents.list(kb, limit=max(total, 1))
        return {one.uri: one.id for one in listed if one.uri.startswith(below)}

    def _forget(self, kb: KnowledgeBase, known: dict[str, str], files: Sequence[Path]) -> int:
        there = {path.resolve().as_uri() for path in files}
        gone = [id_ for uri, id_ in known.items() if uri.partition("!/")[0] not in there]
        forgotten = 0
        for document_id in gone:
            try:
                self._engine.indexer.remove(kb, document_id)
                forgotten += 1
            except DocumentNotFound:
                continue  # somebody else was quicker
        return forgotten


def _stamp(path: Path) -> Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
