"""One run: so many documents into fresh knowledge bases, by so many workers, and what that took."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from evaluation.errors import LoadError
from evaluation.paper import paper
from evaluation.processors import busy_seconds
from evaluation.worker_scaling.counters import Done, summed
from evaluation.worker_scaling.locks import Turns
from evaluation.worker_scaling.sites import WORKING, Site, by_group
from ingest.jobs import Request
from ingest.sources import upload
from retrieval.processor import available_cores
from retrieval.types import KnowledgeBase, KnowledgeBaseSettings

_LOOK = 0.1  # seconds between two questions whether all is done
_STUCK = 120.0  # seconds in which nothing gets done
_AT_ONCE = 16  # documents that are sent together, to one knowledge base after the other
_WARM = 16  # documents a worker, before anything is measured
_WARM_TIMES = 10
_QUIET = 0.1  # of a core: no more than this, and nothing is left to do
_QUIET_LOOK = 1.0  # seconds
_QUIET_WITHIN = 60.0
_EVERYTHING = 1_000_000  # documents

Inventory = Mapping[str, int]
"""Chunks by the uri of their document."""

Watch = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """`workers` processes, 0: one over stores of its own. Of the `seconds` from the first document
    that was sent until the last could be found: `processors` seconds of processors by who took
    them, `busiest` those of the busiest worker alone, `busy` those of all cores together, of which
    there are `cores`; `stages` seconds of threads of workers.
    """

    workers: int
    knowledge_bases: int
    documents: int
    chunks: int
    seconds: float
    processors: Mapping[str, float]
    busiest: float
    busy: float
    cores: int
    stages: Mapping[str, float]
    writing: Turns
    publishing: Turns
    faults: tuple[str, ...]


def documents_of(count: int, pages: int) -> list[Request]:
    """PDFs of so many pages, the same ones for the same number."""
    return [
        Request(upload(f"{number}.pdf", paper(number, pages), "application/pdf", None))
        for number in range(count)
    ]


def prepare(site: Site, requests: Sequence[Request], watch: Watch) -> Inventory:
    """Ingest all documents into a knowledge base that stays, so that their vectors do: what they
    came to. Raises LoadError.
    """
    kb = _created(site)
    _ingest(site, [kb], requests, watch)
    return dict(_held(site, kb))


def warm_up(site: Site, requests: Sequence[Request]) -> None:
    """Let each worker ingest something, and come to rest. Raises LoadError."""
    before = site.done()
    some = requests[: _WARM * max(1, site.workers)]
    for _ in range(_WARM_TIMES):
        with _fresh(site, 1) as kbs:
            _ingest(site, kbs, some, lambda _: None)
        made = [now.since(then) for now, then in zip(site.done(), before, strict=True)]
        if all(done.documents for done in made):
            return
    raise LoadError("One of the workers ingests nothing.")


def run(
    site: Site, requests: Sequence[Request], knowledge_bases: int, expected: Inventory, watch: Watch
) -> Run:
    """Ingest all documents, spread over so many fresh knowledge bases, which are gone afterwards.

    Raises LoadError.
    """
    with _fresh(site, knowledge_bases) as kbs:
        _rest(site)
        done, taken = site.done(), site.taken()
        with site.watched(kbs) as turns:
            busy, began = busy_seconds(), time.perf_counter()
            _ingest(site, kbs, requests, watch)
            seconds, busy = time.perf_counter() - began, busy_seconds() - busy
        took = {pid: now.since(taken[pid]) for pid, now in site.taken().items()}
        made = summed([now.since(then) for now, then in zip(site.done(), done, strict=True)])
        held = [one for kb in kbs for one in _held(site, kb)]
        faults = (*check(held, expected, made), *_lacking(site, kbs))
    return Run(
        workers=site.workers,
        knowledge_bases=knowledge_bases,
        documents=len(held),
        chunks=sum(chunks for _, chunks in held),
        seconds=seconds,
        processors=by_group(site.pids, took),
        busiest=max(took[pid].alone for pid in site.pids[WORKING]),
        busy=busy,
        cores=available_cores(),
        stages=made.stages,
        writing=turns.writing if turns else Turns(),
        publishing=turns.publishing if turns else Turns(),
        faults=faults,
    )


def check(held: Sequence[tuple[str, int]], expected: Inventory, made: Done) -> Iterator[str]:
    """What is wrong with documents and their chunks, of which each should be there once, and with
    how they came in: none of their vectors had to be made.
    """
    uris = [uri for uri, _ in held]
    for uri in sorted(expected.keys() - set(uris)):
        yield f"{uri} isn't there."
    for uri in sorted(set(uris) - expected.keys()):
        yield f"{uri} is there, and was never sent."
    for uri in sorted({uri for uri in uris if uris.count(uri) > 1}):
        yield f"{uri} is there {uris.count(uri)} times."
    for uri, chunks in sorted(held):
        if chunks != expected.get(uri, chunks):
            yield f"{uri} has {chunks} chunks, not {expected[uri]}."
    if made.embedded:
        yield f"{made.embedded} texts were embedded, whose vectors should have been known."


def _lacking(site: Site, kbs: Sequence[KnowledgeBase]) -> Iterator[str]:
    """What the stores have too much or too little of."""
    for kb in kbs:
        _, chunks = site.engine.knowledge_bases.counts(kb)
        stores = site.engine.stores
        for name, count in (
            ("vectors", stores.vectors(kb.generation.id).count()),
            ("words", stores.lexical(kb.generation.id).count()),
        ):
            if count != chunks:
                yield f"There are {name} of {count} chunks, not of {chunks}."


def _ingest(
    site: Site, kbs: Sequence[KnowledgeBase], requests: Sequence[Request], watch: Watch
) -> None:
    """Send them all, some to one knowledge base after the other, and wait for the last."""
    parts = [requests[at : at + _AT_ONCE] for at in range(0, len(requests), _AT_ONCE)]
    for number, part in enumerate(parts):
        site.jobs.submit(kbs[number % len(kbs)], part)
    left, moved = len(requests), time.monotonic()
    while now := site.jobs.unfinished():
        site.check()
        if now != left:
            left, moved = now, time.monotonic()
        if time.monotonic() - moved > _STUCK:
            raise LoadError(f"No document was ingested within {_STUCK:g} s, {left} are left.")
        watch(len(requests) - now)
        time.sleep(_LOOK)
    watch(len(requests))


@contextmanager
def _fresh(site: Site, count: int) -> Iterator[list[KnowledgeBase]]:
    kbs = [_created(site) for _ in range(count)]
    try:
        yield kbs
    finally:
        for kb in kbs:
            site.engine.indexer.remove_knowledge_base(kb)


def _created(site: Site) -> KnowledgeBase:
    # A weight that is given: calibration would embed beside what is measured.
    kb, _ = site.engine.create(f"kb-{uuid4().hex}", KnowledgeBaseSettings(dense_weight=0.5))
    return kb


def _held(site: Site, kb: KnowledgeBase) -> list[tuple[str, int]]:
    """The documents that can be found, by uri, and the chunks of each."""
    found = site.engine.documents.list(kb, _EVERYTHING)
    return [(one.uri, one.chunks) for one in found]


def _rest(site: Site) -> None:
    """Wait until nothing is left to do of what was before: no matter what, for a while at most."""
    deadline, taken = time.monotonic() + _QUIET_WITHIN, site.taken()
    while time.monotonic() < deadline:
        time.sleep(_QUIET_LOOK)
        now = site.taken()
        spent = sum(one.since(taken[pid]).alone for pid, one in now.items())
        if spent <= _QUIET * _QUIET_LOOK:
            return
        taken = now
