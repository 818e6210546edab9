"""What the engine around a model costs, and what it is good for: questions beside documents."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, takewhile

import numpy as np

from evaluation.embedding_bench.subjects import embed_bare
from evaluation.open_loop import arrivals, open_loop, percentile
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.lanes import Lane
from retrieval.ports import EmbeddingBackend

_QUESTION = "what is the {} of case {} in that study"
_WORDS = ("cause", "outcome", "dose", "incubation period", "mean age", "treatment", "price")
_ALONE = 50  # questions a round
_AT_ONCE = 64  # questions that may wait for each other
_PATIENCE = 60.0  # seconds for the last of them
_ASKERS = 4  # who ask without a pause: more than any model here keeps up with


@dataclass(frozen=True, slots=True)
class Overhead:
    """Tokens a second of all texts at once, and milliseconds of one question alone, medians."""

    raw_rate: float
    engine_rate: float
    raw_ms: float
    engine_ms: float

    @property
    def slowdown(self) -> float:
        """Of the raw loop's time at saturation."""
        return self.raw_rate / self.engine_rate

    @property
    def added_ms(self) -> float:
        return self.engine_ms - self.raw_ms


@dataclass(frozen=True, slots=True)
class Questions:
    """Milliseconds that questions took, from when each was due; how many there were."""

    p50: float
    p95: float
    asked: int


@dataclass(frozen=True, slots=True)
class BesideDocuments:
    """Questions alone and beside documents; what one batch of documents takes, in milliseconds;
    seconds that all documents took beside these questions, and beside a flood of them.
    """

    idle: Questions
    loaded: Questions
    batch_ms: float
    documents: int
    seconds: float
    flooded: float

    @property
    def bound_ms(self) -> float:
        """Twice what a question takes alone, and one batch."""
        return 2 * self.idle.p95 + self.batch_ms


def overhead(
    backend: EmbeddingBackend, embedder: Embedder, texts: Sequence[str], rounds: int
) -> Overhead:
    """The engine beside the loop of its own backend, in turns; both tokenise."""
    tokens = sum(backend.count_tokens(texts))
    raw: list[float] = []
    engine: list[float] = []
    ways: list[tuple[list[float], Callable[[], object]]] = [
        (raw, lambda: _raw(backend, texts)),
        (engine, lambda: _scheduled(embedder, texts)),
    ]
    for _, run in ways:
        run()  # shapes that are met first take longer
    for number in range(rounds):
        for times, run in ways if number % 2 else reversed(ways):
            times.append(_seconds(run))
    alone = _alone(backend, embedder, _ALONE * rounds)
    return Overhead(tokens / _median(raw), tokens / _median(engine), *alone)


def beside_documents(
    embedder: Embedder, texts: Sequence[str], documents: int, rate: float, seconds: float
) -> BesideDocuments:
    """Questions at a rate, alone for some seconds and then as long as documents are embedded;
    and then documents again, beside questions without a pause.
    """
    idle = _questions(embedder, rate, _after(seconds))
    before = embedder.measured()[Lane.DOCUMENT]
    with _embedding(embedder, texts, documents, "one") as done:
        loaded = _questions(embedder, rate, done)
        took = done.seconds
    after = embedder.measured()[Lane.DOCUMENT]
    batch = (after.seconds - before.seconds) / max(1, after.batches - before.batches)
    with _embedding(embedder, texts, documents, "two") as done:
        _flood(embedder, done)
        flooded = done.seconds
    return BesideDocuments(idle, loaded, 1e3 * batch, documents, took, flooded)


class _Done:
    """Whether it is, and how long that took."""

    def __init__(self) -> None:
        self._began = time.perf_counter()
        self._event = threading.Event()
        self._seconds = 0.0

    def __call__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        self._seconds = time.perf_counter() - self._began
        self._event.set()

    @property
    def seconds(self) -> float:
        self._event.wait()
        return self._seconds


@contextmanager
def _embedding(
    embedder: Embedder, texts: Sequence[str], documents: int, name: str
) -> Iterator[_Done]:
    """Embeds so many documents meanwhile, each another."""
    done = _Done()
    limit = embedder.identity.window - 16
    fitted = [embedder.fit(text, limit).text for text in texts]

    def run() -> None:
        try:
            many = [f"{name} {at} {fitted[at % len(fitted)]}" for at in range(documents)]
            keyed = dict(zip(map(str, count()), embedder.tokenize(many), strict=False))
            for _ in embedder.stream_documents(keyed):
                pass
        finally:
            done.set()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        yield done
        running.result()


def _questions(embedder: Embedder, rate: float, over: Callable[[], bool]) -> Questions:
    """Asked at random moments until it is over."""
    due = takewhile(lambda _: not over(), arrivals(rate, seed=0))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = open_loop(due, lambda number: pool.submit(_ask, embedder, number), _PATIENCE)
    return Questions(_milliseconds(found, 0.50), _milliseconds(found, 0.95), len(found))


def _ask(embedder: Embedder, number: int) -> None:
    embedder.embed_query(f"{_question(number)} at {time.perf_counter()}")  # never remembered


def _milliseconds(latencies: Sequence[float | None], share: float) -> float:
    """NaN where that share wasn't answered."""
    found = percentile(latencies, share) if latencies else None
    return math.nan if found is None else 1e3 * found


def _flood(embedder: Embedder, over: Callable[[], bool]) -> None:
    def ask(asker: int) -> None:
        for number in count():
            if over():
                return
            embedder.embed_query(f"{asker} {_question(number)}")

    with ThreadPoolExecutor(_ASKERS) as pool:
        list(pool.map(ask, range(_ASKERS)))


def _scheduled(embedder: Embedder, texts: Sequence[str]) -> None:
    embedder.submit(embedder.tokenize_raw(texts), Lane.DOCUMENT).done.result()


def _raw(backend: EmbeddingBackend, texts: Sequence[str]) -> None:
    with ThreadPoolExecutor(backend.parallel) as threads:
        embed_bare(backend, threads, texts)


def _alone(backend: EmbeddingBackend, embedder: Embedder, number: int) -> tuple[float, float]:
    """Median milliseconds of a question by the backend and by the engine, in turns."""
    raw: list[float] = []
    engine: list[float] = []
    ways: list[tuple[list[float], Callable[[str], object]]] = [
        (raw, partial(_encode, backend)),
        (engine, embedder.embed_query),
    ]
    for at in range(number):
        for times, run in ways if at % 2 else reversed(ways):
            times.append(_seconds(partial(run, _question(at))))
    return 1e3 * _median(raw), 1e3 * _median(engine)


def _encode(backend: EmbeddingBackend, text: str) -> None:
    backend.encode(backend.tokenize([backend.identity.prefixes.query + text]))


def _question(number: int) -> str:
    return _QUESTION.format(_WORDS[number % len(_WORDS)], number)


def _after(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def _seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _median(times: Sequence[float]) -> float:
    return float(np.median(times))
