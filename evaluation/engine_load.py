"""What the engine around a model costs, and what it is good for: questions beside documents."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import numpy as np

from evaluation.embedding_bench.subjects import embed_bare
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.lanes import Lane
from retrieval.ports import EmbeddingBackend

_QUESTION = "what is the {} of case {} in that study"
_WORDS = ("cause", "outcome", "dose", "incubation period", "mean age", "treatment", "price")
_ALONE = 50  # questions a round
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
    """Milliseconds that questions took, from when each was due."""

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
        (engine, lambda: embedder.embed_documents(texts)),
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
    """Asked at random moments (Poisson), timed from when each was due: one that has to wait for
    another isn't the less late for that.
    """
    chance = random.Random(0)  # noqa: S311 - moments, not secrets
    found: list[float] = []
    due = time.perf_counter()
    with ThreadPoolExecutor(64) as pool:
        waiting = []
        for number in count():
            due += chance.expovariate(rate)
            time.sleep(max(0.0, due - time.perf_counter()))
            if over():
                break
            waiting.append(pool.submit(_ask, embedder, number, due))
        found = [one.result() for one in waiting]
    p50, p95 = np.percentile(found, [50, 95]) if found else (0.0, 0.0)
    return Questions(1e3 * float(p50), 1e3 * float(p95), len(found))


def _ask(embedder: Embedder, number: int, due: float) -> float:
    embedder.embed_query(f"{_question(number)} at {due}")
    return time.perf_counter() - due


def _flood(embedder: Embedder, over: Callable[[], bool]) -> None:
    def ask(asker: int) -> None:
        for number in count():
            if over():
                return
            embedder.embed_query(f"{asker} {_question(number)}")

    with ThreadPoolExecutor(_ASKERS) as pool:
        list(pool.map(ask, range(_ASKERS)))


def _raw(backend: EmbeddingBackend, texts: Sequence[str]) -> None:
    with ThreadPoolExecutor(backend.parallel) as threads:
        embed_bare(backend, threads, texts)


def _alone(backend: EmbeddingBackend, embedder: Embedder, number: int) -> tuple[float, float]:
    """Median milliseconds of a question by the backend and by the engine, in turns."""
    raw: list[float] = []
    engine: list[float] = []
    for at in range(number):
        text = _question(at)
        raw.append(_seconds(partial(_encode, backend, text)))
        engine.append(_seconds(partial(embedder.embed_query, text)))
    return 1e3 * _median(raw), 1e3 * _median(engine)


def _encode(backend: EmbeddingBackend, text: str) -> None:
    backend.encode(backend.tokenize([text]))


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
