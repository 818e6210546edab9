"""The process that is killed: `python -m evaluation.crash.worker`, over one data directory.

It submits what of the plan it hasn't submitted yet, works it off beside a reader who looks for
half-visible documents, and says how it stands, a line of JSON at a time.
"""

import hashlib
import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.crash.plan import Sending, read_plan
from evaluation.wrapped_backend import WrappedBackend
from ingest.job_store import Job
from ingest.jobs import Jobs, Request
from ingest.parsing import ProcessParser
from ingest.pipeline import Pipeline, identify
from ingest.types import ParseLimits, Stage
from retrieval import filters
from retrieval.chunks import Chunks
from retrieval.embedding.tokens import TokenizedText
from retrieval.engine import Engine, load_backend, open_engine
from retrieval.ports import EmbeddingBackend
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings, Vectors

_LIMITS = ParseLimits(seconds=60)
_MAX_BYTES = 1 << 28
WARM_UP = "words that are no passage"


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is told: where, with which model, how far into the plan, and the truth.

    `versions` are the numbers of chunks that each version of each uri has, from a run that
    nobody interrupted; in that run there are none yet. One that lingers waits to be killed.
    """

    data: str
    model: str
    plan: str
    upto: int
    log: str
    linger: bool
    versions: dict[str, list[int]]


class Logged(WrappedBackend):
    """An embedding model that writes down what it is about to embed."""

    def __init__(self, inner: EmbeddingBackend, log: Path) -> None:
        super().__init__(inner)
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        keys = [hashlib.sha256(text.text.encode()).hexdigest()[:16] for text in texts]
        os.write(self._log, (json.dumps(keys) + "\n").encode())
        return super().encode(texts, urgent=urgent)

    def close(self) -> None:
        os.close(self._log)
        super().close()


class Reader(threading.Thread):
    """Searches, and counts what it sees of documents that aren't there as a whole."""

    def __init__(self, engine: Engine, kb: KnowledgeBase, truth: dict[str, list[int]]) -> None:
        super().__init__(daemon=True)
        self._engine = engine
        self._kb = kb
        self._truth = truth
        self._chunks = Chunks(engine.database)
        self._closing = threading.Event()

    def run(self) -> None:
        chance = random.Random(os.getpid())  # noqa: S311
        uris = sorted(self._truth)
        while uris and not self._closing.is_set():
            self._look(chance.choice(uris))

    def close(self) -> None:
        self._closing.set()
        self.join()

    def _look(self, uri: str) -> None:
        """Are all chunks of one version there, in the catalogue and in both stores?"""
        document = identify(self._kb, uri)
        condition = filters.condition({"document_id": document})
        ids = {key for part, _ in self._chunks.scan(self._kb, condition) for key in part}
        seen = Counter(p.chunk.version for p in self._chunks.passages(self._kb, [*ids]).values())
        live = self._engine.documents.live_version(self._kb, document)
        if not ids or live not in seen:  # it was replaced while we looked
            return
        whole = len(seen) == 1 and len(ids) in self._truth[uri]
        stores, generation = self._engine.stores, self._kb.generation.id
        stored = ids == stores.vectors(generation).vectors(list(ids)).keys()
        stored = stored and ids <= stores.lexical(generation).ids()
        if whole and stored:
            _say({"looked": 1})
        elif live == self._engine.documents.live_version(self._kb, document):
            _say({"torn": uri, "seen": [*seen.values()], "stored": stored})


def main() -> None:
    """Do what the order on the command line says; ends when everything is final."""
    order = Order(**json.loads(sys.argv[1]))
    settings = EngineSettings(Path(order.data), embedding_model=order.model)
    backend = Logged(load_backend(settings), Path(order.log))
    with open_engine(settings, backend) as engine:
        kb, _ = engine.create(
            "crash", KnowledgeBaseSettings(dense_weight=0.5)
        )  # embeds passages alone
        parser = ProcessParser(_LIMITS)
        jobs = Jobs(engine, Pipeline(engine, parser, _MAX_BYTES))
        jobs.start()
        reader = Reader(engine, kb, order.versions)
        engine.embedder.embed_query(WARM_UP)  # loads the model
        reader.start()
        _say({"ready": os.getpid()})
        try:
            _work(jobs, kb, list(read_plan(Path(order.plan)))[: order.upto])
            while order.linger:
                time.sleep(1)
        finally:
            reader.close()
            jobs.stop()
            parser.close()
            jobs.close()


def _work(jobs: Jobs, kb: KnowledgeBase, plan: Sequence[Sending]) -> None:
    """Submit what no job is known of, in order, and wait: a uri's next version after its last."""
    known = Counter(job.uri for job in _received(jobs))
    waiting: dict[str, str] = {}
    for sending in plan:
        if known[sending.uri]:
            known[sending.uri] -= 1
            continue
        if sending.uri in waiting:
            jobs.wait([waiting[sending.uri]])
        [job] = jobs.submit(kb, [Request(sending.source(), unique=False)])
        waiting[sending.uri] = job.id
        _say({"sent": sending.uri})
    while any(not job.state.final for job in jobs.newest(100_000)):
        jobs.wait([job.id for job in jobs.newest(100_000)])
    ended = _received(jobs)
    _say(
        {
            "done": sum(job.state is Stage.DONE for job in ended),
            "failed": {job.uri: str(job.error) for job in ended if job.state is Stage.FAILED},
            "jobs": len(ended),
            "chunks": [
                [job.uri, job.total] for job in ended if job.outcome in ("added", "updated")
            ],
        }
    )


def _received(jobs: Jobs) -> list[Job]:
    """The jobs but those that were never accepted: a kill came before their bytes were kept."""
    return [job for job in jobs.newest(100_000) if job.received]


def _say(said: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
