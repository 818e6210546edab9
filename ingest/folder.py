"""Files and folders, several documents at a time, with a report of what became of each."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ingest import sources
from ingest.errors import Cancelled, IngestError
from ingest.pipeline import Pipeline, Progress
from ingest.retrying import may_pass
from ingest.sources import Patterns
from ingest.types import Source, Stage
from ingest.unpacking import is_archive, unpack
from retrieval.errors import RetrievalError
from retrieval.types import KnowledgeBase

_SIDE_BY_SIDE = 4  # documents in hand, so that the embedder finds full batches

Watch = Callable[[int, int, int, int], None]
"""Told how many of how many files are done, and how many of the chunks known so far."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one file."""

    name: str
    path: str
    uri: str
    outcome: str
    document_id: str | None
    chunks: int
    embedded: int
    error: str | None
    may_pass: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a run: a row a file in the order they were found."""

    rows: tuple[Row, ...]
    skipped: tuple[str, ...]
    seconds: float

    @property
    def embedded(self) -> int:
        return sum(row.embedded for row in self.rows)

    @property
    def failed(self) -> int:
        return sum(row.error is not None for row in self.rows)

    def counts(self) -> Mapping[str, int]:
        """How many files came to each outcome."""
        return Counter(row.outcome for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        return {
            "files": [asdict(row) for row in self.rows],
            "skipped": list(self.skipped),
            "counts": dict(self.counts()),
            "embedded": self.embedded,
            "seconds": self.seconds,
        }


def ingest_paths(
    pipeline: Pipeline,
    kb: KnowledgeBase,
    paths: Sequence[Path],
    patterns: Patterns,
    watch: Watch,
    *,
    unique: bool = True,
) -> Report:
    """Ingest all files that the paths stand for. A bad file is a row, not the end of the run.

    With `unique`, bytes that another document has aren't added again. Raises SourceNotFound for
    a path that isn't there.
    """
    files, skipped = sources.find(paths, patterns)
    report = ingest_files(pipeline, kb, files, watch, unique=unique)
    return replace(report, skipped=tuple(map(sources.shown, skipped)))


def ingest_files(
    pipeline: Pipeline,
    kb: KnowledgeBase,
    files: Sequence[Path],
    watch: Watch,
    *,
    unique: bool = True,
) -> Report:
    """Ingest files, as `ingest_paths` does. One that is gone by now is a row too."""
    began = time.perf_counter()
    tally = _Tally(len(files), watch)

    def one(path: Path) -> tuple[Row, ...]:
        try:
            source = sources.read(path, pipeline.max_bytes)
        except IngestError as error:
            uri = sources.location(path).as_uri()
            rows: tuple[Row, ...] = (_failed(path.name, sources.shown(path), uri, error),)
        else:
            rows = ingest_source(pipeline, kb, source, tally.follow(path), str(path), unique=unique)
        tally.finish()
        return rows

    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="ingest") as pool:
        try:
            rows = tuple(row for rows in pool.map(one, files) for row in rows)
        except BaseException:
            tally.stop()  # Ctrl-C: what is in hand ends at its next step
            raise
    pipeline.calibrate(kb)
    return Report(rows, (), time.perf_counter() - began)


def ingest_source(
    pipeline: Pipeline,
    kb: KnowledgeBase,
    source: Source,
    progress: Progress = lambda _stage, _done, _total: None,
    path: str = "",
    *,
    unique: bool = True,
) -> tuple[Row, ...]:
    """What became of a source, or of each file in it if it is an archive."""
    shown = sources.shown(path or source.name)
    try:
        found = list(unpack(source)) if is_archive(source) else [source]
    except IngestError as error:
        return (_failed(source.name, shown, source.uri, error),)

    def one(source: Source) -> Row:
        try:
            ingested = pipeline.ingest(kb, source, progress, unique=unique)
        except (IngestError, RetrievalError) as error:
            return _failed(source.name, shown, source.uri, error)
        return Row(
            name=source.name,
            path=shown,
            uri=source.uri,
            outcome=ingested.outcome.value,
            document_id=ingested.document_id,
            chunks=ingested.chunks,
            embedded=ingested.embedded,
            error=None,
            may_pass=False,
            warnings=ingested.warnings,
        )

    return tuple(map(one, found))


def _failed(name: str, path: str, uri: str, error: Exception) -> Row:
    return Row(
        name=sources.shown(name),
        path=path,
        uri=uri,
        outcome="failed",
        document_id=None,
        chunks=0,
        embedded=0,
        error=str(error),
        may_pass=may_pass(error),
        warnings=(),
    )


class _Tally:
    """Adds up the progress of several files."""

    def __init__(self, total: int, watch: Watch) -> None:
        self._total = total
        self._watch = watch
        self._files = 0
        self._chunks: dict[Path, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def stop(self) -> None:
        self._stopped = True

    def follow(self, path: Path) -> Callable[[Stage, int, int], None]:
        def progress(_stage: Stage, done: int, total: int) -> None:
            if self._stopped:
                raise Cancelled(f"The ingestion of {path.name} was cancelled.")
            with self._lock:
                self._chunks[path] = (done, total)
                self._tell()

        return progress

    def finish(self) -> None:
        with self._lock:
            self._files += 1
            self._tell()

    def _tell(self) -> None:
        done = sum(done for done, _ in self._chunks.values())
        self._watch(self._files, self._total, done, sum(n for _, n in self._chunks.values()))
