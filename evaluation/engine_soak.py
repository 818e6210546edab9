"""The embedder under everything at once for minutes: cancellations, poison, bursts, long texts.

What it has to keep to: each request ends once, each vector is right, and memory doesn't grow.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from evaluation.resources import resident_memory
from evaluation.wrapped_backend import WrappedBackend
from retrieval.embedding.embedder import Embedder
from retrieval.embedding.lanes import Lane
from retrieval.embedding.requests import Request
from retrieval.embedding.tokens import TokenizedText
from retrieval.errors import EmbeddingFailed, Overloaded, TextTooLong
from retrieval.ports import EmbeddingBackend
from retrieval.types import Vectors

POISON = "\u2622"
_ACTORS = 8
_SETTLED = 0.2  # of the time, after which memory is looked at first
_GROWN = 1.1  # times the memory at first, from which it isn't flat any more
_LOOKS = 50
_LONGEST = 300.0  # seconds that a request is waited for


class Poisonous(WrappedBackend):
    """A backend that fails on a batch with poison in it, as a broken model does."""

    def encode(self, texts: Sequence[TokenizedText], *, urgent: bool = False) -> Vectors:
        if any(POISON in text.text for text in texts):
            raise ValueError("poison")
        return super().encode(texts, urgent=urgent)


@dataclass(frozen=True, slots=True)
class Soaked:
    """Requests by how they ended; those that ended never or twice; the lowest cosine to the
    reference; megabytes at the beginning, when all was settled, and at the end.
    """

    seconds: float
    outcomes: dict[str, int]
    endless: int
    twice: int
    lowest_cosine: float
    memory_settled: float
    memory_end: float

    @property
    def sound(self) -> bool:
        """Whether each request ended once, as it had to, with the right vectors, and memory
        didn't grow.
        """
        grown = self.memory_end > _GROWN * self.memory_settled
        return not (self.endless or self.twice or self.outcomes.get("wrong", 0) or grown)


def soak(
    backend: EmbeddingBackend,
    texts: Sequence[str],
    expected: Vectors,
    least: float,
    seconds: float,
    seed: int = 0,
) -> Soaked:
    """Do it for so long. `expected` are the vectors of the texts, by whatever is trusted; one that
    is farther from it than a cosine of `least` is wrong.
    """
    embedder = Embedder(Poisonous(backend))
    actors = [
        _Actor(embedder, texts, expected, least, random.Random(seed + number))  # noqa: S311
        for number in range(_ACTORS)
    ]
    end = time.monotonic() + seconds
    memory: list[float] = []
    try:
        with ThreadPoolExecutor(_ACTORS) as pool:
            running = [pool.submit(actor.act, lambda: time.monotonic() > end) for actor in actors]
            while not all(one.done() for one in running):
                time.sleep(min(1.0, seconds / _LOOKS))
                memory.append(resident_memory())
            for one in running:
                one.result()
    finally:
        embedder.close()
    outcomes = sum((actor.outcomes for actor in actors), Counter[str]())
    settled = memory[int(_SETTLED * len(memory)) :]
    share = max(1, len(settled) // 10)
    return Soaked(
        seconds=seconds,
        outcomes=dict(outcomes),
        endless=sum(actor.endless for actor in actors),
        twice=sum(actor.twice for actor in actors),
        lowest_cosine=min(actor.lowest for actor in actors),
        memory_settled=float(np.median(settled[:share])),
        memory_end=float(np.median(settled[-share:])),
    )


class _Actor:
    """Somebody who embeds, in all the ways that there are."""

    def __init__(
        self,
        embedder: Embedder,
        texts: Sequence[str],
        expected: Vectors,
        least: float,
        chance: random.Random,
    ) -> None:
        self._embedder, self._chance = embedder, chance
        self._read, self._expected, self._least = embedder.tokenize_raw(texts), expected, least
        self.outcomes: Counter[str] = Counter()
        self.endless = self.twice = 0
        self.lowest = 1.0

    def act(self, over: Callable[[], bool]) -> None:
        ways = (self._plain, self._plain, self._plain, self._cancelled, self._poisoned)
        rare = (self._too_long, self._burst, self._left)
        while not over():
            self._chance.choice(rare if self._chance.random() < 0.1 else ways)()

    def _plain(self) -> None:
        chosen = self._some(1, 40)
        self._check(chosen, self._submit([self._read[at] for at in chosen]))

    def _burst(self) -> None:
        """Many small requests at once, half of them of the same texts."""
        wanted = [self._some(1, 3) for _ in range(100)]
        wanted += wanted
        requests = [self._submit([self._read[at] for at in chosen]) for chosen in wanted]
        for chosen, request in zip(wanted, requests, strict=True):
            self._check(chosen, request)

    def _cancelled(self) -> None:
        sent = self._submit([self._read[at] for at in self._some(1, 200)])
        time.sleep(self._chance.random() * 0.05)
        if sent:
            cancelled = sent.request.done.cancel()
            self._count("cancelled" if cancelled else "done before", sent)

    def _poisoned(self) -> None:
        chosen = [self._read[at] for at in self._some(1, 10)]
        place = self._chance.randrange(len(chosen))
        [bad] = self._embedder.tokenize_raw([f"{POISON} {self._chance.random()}"])
        sent = self._submit([*chosen[:place], bad, *chosen[place:]])
        if sent is None:
            return
        try:
            sent.request.done.result(timeout=_LONGEST)
        except TimeoutError:
            self.endless += 1
        except EmbeddingFailed:
            self._count("poisoned", sent)
        else:
            self._count("wrong", sent)

    def _too_long(self) -> None:
        [long] = self._embedder.tokenize_raw(["word " * 2 * self._embedder.identity.window])
        try:
            self._embedder.submit([long], Lane.CALL)
        except TextTooLong:
            self.outcomes["too long"] += 1
        else:
            self.outcomes["wrong"] += 1

    def _left(self) -> None:
        """A stream that is left after its first part."""
        keyed = {str(at): self._read[at] for at in self._some(1, 200)}
        stream = self._embedder.stream_documents(keyed)
        for key, vector in next(stream).items():
            right = self._near(vector[None], [int(key)])
            self.outcomes["wrong"] += not right
        stream.close()  # type: ignore[attr-defined]  # a generator
        self.outcomes["left"] += 1

    def _some(self, least: int, most: int) -> list[int]:
        number = self._chance.randint(least, most)
        return [self._chance.randrange(len(self._read)) for _ in range(number)]

    def _submit(self, texts: Sequence[TokenizedText]) -> "_Sent | None":
        lane = self._chance.choice([Lane.QUESTION, Lane.CALL, Lane.DOCUMENT])
        rows: Counter[int] = Counter()
        try:
            request = self._embedder.submit(texts, lane, lambda _, came: rows.update(came))
        except Overloaded:
            self.outcomes["overloaded"] += 1
            return None
        return _Sent(request, rows)

    def _check(self, chosen: Sequence[int], sent: "_Sent | None") -> None:
        if sent is None:
            return
        try:
            vectors = sent.request.done.result(timeout=_LONGEST)
        except TimeoutError:
            self.endless += 1
            return
        complete = len(sent.rows) == len(chosen)
        self._count("right" if complete and self._near(vectors, chosen) else "wrong", sent)

    def _near(self, vectors: Vectors, chosen: Sequence[int]) -> bool:
        lowest = float(np.einsum("nd,nd->n", vectors, self._expected[list(chosen)]).min())
        self.lowest = min(self.lowest, lowest)
        return lowest >= self._least

    def _count(self, outcome: str, sent: "_Sent") -> None:
        self.outcomes[outcome] += 1
        self.twice += max(sent.rows.values(), default=0) > 1


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request, and how often each of its rows came."""

    request: Request
    rows: Counter[int]
