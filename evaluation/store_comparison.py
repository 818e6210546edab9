"""Searches over stores that lie with the data, and over servers that many processes can share."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import text

from evaluation.processors import taken_by
from evaluation.resources import current_memory, folder_size
from evaluation.search_load import Percentiles, grow, percentiles_of, stock_of
from evaluation.services.shared import SharedServices
from retrieval.engine import Engine, open_engine
from retrieval.search import Found, Query
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings

_ROUNDING = 1e-5  # of a score: sums of the same numbers in another order

Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Searched:
    """Searches in one kind of stores, when a question is asked first, and again; `written` chunks a
    second. By who does it: milliseconds of processors that a question takes which is asked again,
    megabytes on disk, and in memory where a server keeps the chunks there.
    """

    written: float
    first: Percentiles
    again: Percentiles
    processors: Mapping[str, float]
    disk: Mapping[str, float]
    memory: Mapping[str, float]


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
    services: SharedServices,
    texts: Sequence[str],
    questions: Sequence[str],
    chunks: int,
    watches: tuple[Watch, Watch],
) -> StoreComparison:
    """Fill both with so many chunks made of these texts, and ask both each question in turns, and
    all of them again. Times are of hybrid searches beyond embedding. `services` are those that the
    `shared` settings name.
    """
    with (
        _filled(embedded, texts, chunks, watches[0]) as (one, kb, written),
        _filled(shared, texts, chunks, watches[1]) as (other, kb_there, written_there),
    ):
        sides = ((one, kb), (other, kb_there))
        first = [[_asked(*side, question) for side in sides] for question in questions]
        before = _taken(services)
        again = [[_asked(*side, question) for side in sides] for question in questions]
        servers = {name: took - before[name] for name, took in _taken(services).items()}
        disk = {
            "Postgres": _database_size(other),
            "Chroma": folder_size(services.folders["Chroma"]),
        }
        return StoreComparison(
            chunks=chunks,
            questions=len(questions),
            same=sum(_are_same(here.found, there.found) for here, there in again),
            embedded=_searched(
                written, first, again, 0, disk={"this process": folder_size(embedded.data)}
            ),
            shared=_searched(
                written_there,
                first,
                again,
                1,
                servers=servers,
                disk=disk,
                memory={"Chroma": current_memory(services.pids["Chroma"]) or 0.0},
            ),
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was found, and the seconds of processors that this process took for it."""

    found: Found
    took: float


def _asked(engine: Engine, kb: KnowledgeBase, question: str) -> _Asked:
    began = time.process_time()
    found = engine.searcher.search(kb, Query(question))
    return _Asked(found, time.process_time() - began)


def _taken(services: SharedServices) -> dict[str, float]:
    """Seconds of processors that each service has taken so far."""
    taken = taken_by([*services.pids.values()])
    return {name: taken[pid].alone + taken[pid].below for name, pid in services.pids.items()}


def _database_size(engine: Engine) -> float:
    with engine.database.glance() as connection:
        size: int = connection.scalar(text("SELECT pg_database_size(current_database())"))
    return size / 1e6


def _searched(
    written: float,
    first: Sequence[Sequence[_Asked]],
    again: Sequence[Sequence[_Asked]],
    side: int,
    *,
    servers: Mapping[str, float] | None = None,
    disk: Mapping[str, float],
    memory: Mapping[str, float] | None = None,
) -> Searched:
    took = {"this process": sum(sides[side].took for sides in again), **(servers or {})}
    return Searched(
        written,
        first=percentiles_of([sides[side].found for sides in first]),
        again=percentiles_of([sides[side].found for sides in again]),
        processors={name: 1e3 * seconds / len(again) for name, seconds in took.items()},
        disk=disk,
        memory=memory or {},
    )


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
