"""Files sent to ingestion, whole and spoilt: what becomes of each, and how long it takes."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.jobs import Jobs, Request
from ingest.parsing import ProcessParser
from ingest.pipeline import Pipeline
from ingest.sources import upload
from ingest.types import ParseLimits
from retrieval.engine import open_engine
from retrieval.settings import EngineSettings

_MAX_BYTES = 1 << 28
_SLACK = 30.0  # seconds that a job may take beyond its parser's limit


@dataclass(frozen=True, slots=True)
class Intake:
    """How many files came to each end, and the slowest of them in seconds."""

    files: int
    ends: Mapping[str, int]
    unfinished: int
    unexplained: tuple[str, ...]
    slowest: tuple[str, float]
    seconds: float

    @property
    def sound(self) -> bool:
        return not self.unfinished and not self.unexplained


def take_in(
    files: Iterable[tuple[str, bytes]],
    limits: ParseLimits,
    data: Path,
    watch: Callable[[int], None],
) -> Intake:
    """Ingest files one by one, with the hashing embedder, into a data directory."""
    began = time.monotonic()
    ends: Counter[str] = Counter()
    unexplained: list[str] = []
    slowest = ("", 0.0)
    unfinished = count = 0
    parser = ProcessParser(limits)
    with open_engine(EngineSettings(data, embedding_model="hashing")) as engine:
        kb, _ = engine.create("intake")
        jobs = Jobs(engine, Pipeline(engine, parser, _MAX_BYTES))
        jobs.start()
        for count, (name, content) in enumerate(files, start=1):
            start = time.monotonic()
            [job] = jobs.submit(kb, [Request(upload(name, content, None, None))])
            [job] = jobs.wait([job.id], limits.seconds + _SLACK)
            slowest = max(slowest, (name, time.monotonic() - start), key=lambda pair: pair[1])
            unfinished += not job.state.final
            kind = job.error.kind if job.error else job.outcome or job.state.value
            ends[kind] += 1
            if job.error and (not job.error.message or kind not in REASONS):
                unexplained.append(f"{name}: {kind}: {job.error.message}"[:300])
            watch(count)
        jobs.close()
    parser.close()
    return Intake(count, ends, unfinished, tuple(unexplained), slowest, time.monotonic() - began)


REASONS = frozenset(
    (
        *("UnsupportedMedia", "EncryptedDocument", "DamagedDocument", "EmptyDocument"),
        *("TooLarge", "ParserStopped"),
    )
)
"""The kinds of failure that a file can be the cause of."""
