"""Searches over stores that lie with the data, and over servers that many processes can share."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from evaluation.search_load import Percentiles, grow, percentiles_of, stock_of
from retrieval.engine import Engine, open_engine
from retrieval.search import Found, Query
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings

_ROUNDING = 1e-5  # of a score: sums of the same numbers in another order

Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Searched:
    """Searches in one kind of stores, when a question is asked first, and again; `written` chunks a
    second.
    """

    written: float
    first: Percentiles
    again: Percentiles


@dataclass(frozen=True, slots=True)
class StoreComparison:
    """The same questions over the same chunks; of so many `same` the hits and scores were equal."""

    chunks: int
    questions: int
    same: int
    embedded: Searched
    shared: Searched

    @property
    def ratio(self) -> float:
        """How many times as long the median search takes over servers."""
        return self.shared.again.p50 / self.embedded.again.p50


def stores_compared(
    embedded: EngineSettings,
    shared: EngineSettings,
    texts: Sequence[str],
    questions: Sequence[str],
    chunks: int,
    watches: tuple[Watch, Watch],
) -> StoreComparison:
    """Fill both with so many chunks made of these texts, and ask both each question in turns, and
    all of them again. Times are of hybrid searches beyond embedding.
    """
    with (
        _filled(embedded, texts, chunks, watches[0]) as (one, kb, written),
        _filled(shared, texts, chunks, watches[1]) as (other, kb_there, written_there),
    ):
        sides = ((one, kb), (other, kb_there))
        first, again = (
            [tuple(_asked(engine, kb, question) for engine, kb in sides) for question in questions]
            for _ in range(2)
        )
    return StoreComparison(
        chunks=chunks,
        questions=len(questions),
        same=sum(_are_same(here, there) for here, there in again),
        embedded=_searched(written, first, again, 0),
        shared=_searched(written_there, first, again, 1),
    )


@contextmanager
def _filled(
    settings: EngineSettings, texts: Sequence[str], chunks: int, watch: Watch
) -> Iterator[tuple[Engine, KnowledgeBase, float]]:
    """An engine, its knowledge base of so many chunks, and how many were written a second."""
    with open_engine(settings) as engine:
        stock = stock_of(engine, texts)
        kb, _ = engine.create("load", KnowledgeBaseSettings(dense_weight=0.5))
        began = time.perf_counter()
        grow(engine, kb, stock, 0, chunks, watch)
        written = chunks / (time.perf_counter() - began)
        engine.calibrator.refresh(kb)
        engine.residents.load(kb)
        yield engine, kb, written


def _asked(engine: Engine, kb: KnowledgeBase, question: str) -> Found:
    return engine.searcher.search(kb, Query(question))


def _searched(
    written: float,
    first: Sequence[tuple[Found, ...]],
    again: Sequence[tuple[Found, ...]],
    side: int,
) -> Searched:
    times = (percentiles_of([found[side] for found in asked]) for asked in (first, again))
    return Searched(written, *times)


def _are_same(here: Found, there: Found) -> bool:
    """Whether the hits are; those with one score may change places."""
    pairs = list(zip(here.hits, there.hits, strict=False))
    if len(here.hits) != len(there.hits):
        return False
    if any(abs(one.score - other.score) > _ROUNDING for one, other in pairs):
        return False
    return all(
        (one.uri, one.chunk.start) == (other.uri, other.chunk.start)
        or any(
            (one.uri, one.chunk.start) == (near.uri, near.chunk.start)
            and abs(near.score - one.score) <= _ROUNDING
            for near in there.hits
        )
        for one, other in pairs
    )
