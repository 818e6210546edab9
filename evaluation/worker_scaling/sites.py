"""Where documents are ingested: in this process, over stores that are its own, or by others, over
stores that all of them share.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from evaluation.cluster_soak.fleet import own_fleet
from evaluation.ingest_load import jobs_over
from evaluation.processors import Taken, taken_by
from evaluation.services.shared import SharedServices
from evaluation.serving_bench.server import OwnServer
from evaluation.serving_soak.calling import told_by
from evaluation.worker_scaling.counters import Done, StageTimes, read_from
from evaluation.worker_scaling.locks import LockWatch, watching
from ingest.jobs import Jobs
from retrieval.engine import Engine, open_engine
from retrieval.settings import EngineSettings
from retrieval.types import KnowledgeBase

WORKING, PARSING, ACCEPTING = "workers", "their parsers", "what sends them documents"


@dataclass(frozen=True, slots=True)
class Site:
    """Accepts documents by its `jobs`, for so many processes that are its `workers`; 0: for this
    one. `pids` are all of its processes by group, `done` what each of the workers has done so far.
    `check` raises LoadError where one has ended.
    """

    workers: int
    engine: Engine
    jobs: Jobs
    pids: Mapping[str, Sequence[int]]
    done: Callable[[], Sequence[Done]]
    check: Callable[[], None]

    def taken(self) -> Mapping[int, Taken]:
        """What each of its processes has taken so far. Raises LoadError."""
        return taken_by([pid for group in self.pids.values() for pid in group])

    @contextmanager
    def watched(self, kbs: Sequence[KnowledgeBase]) -> Iterator[LockWatch | None]:
        """What there is to be seen of turns, of which one process needs none."""
        database = self.engine.database
        seen = watching(database, [kb.id for kb in kbs]) if database.shared else nullcontext()
        with seen as watch:
            yield watch


def by_group(pids: Mapping[str, Sequence[int]], taken: Mapping[int, Taken]) -> dict[str, float]:
    """Seconds by who took them: what a worker has started are its parsers."""
    found: dict[str, float] = {}
    for name, group in pids.items():
        alone = sum(taken[pid].alone for pid in group)
        below = sum(taken[pid].below for pid in group)
        found |= {name: alone, PARSING: below} if name == WORKING else {name: alone + below}
    return found


@contextmanager
def one_process(settings: EngineSettings, services: SharedServices) -> Iterator[Site]:
    """This process over stores of its own, beside services that have nothing to do."""
    times = StageTimes()
    with open_engine(settings, observer=times) as engine, jobs_over(engine) as jobs:
        yield Site(
            workers=0,
            engine=engine,
            jobs=jobs,
            pids={WORKING: [os.getpid()], **_each(services)},
            done=lambda: [times.done(engine)],
            check=lambda: None,
        )


class Cluster:
    """Documents that are accepted here, and processes that `work` starts, one number of them after
    the other.
    """

    def __init__(
        self,
        engine: Engine,
        jobs: Jobs,
        services: SharedServices,
        work: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        self.engine, self._jobs, self._services = engine, jobs, services
        self._work, self._environment = work, environment

    @contextmanager
    def working(self, count: int) -> Iterator[Site]:
        """So many that can work, ended with the block. Raises LoadError."""
        with (
            TemporaryDirectory(prefix="footnote-workers-", ignore_cleanup_errors=True) as folder,
            own_fleet((), self._work, (0, count), Path(folder), self._environment) as (_, workers),
        ):
            for one in workers:
                one.wait_until(partial(_check_ready, one.url))
            yield Site(
                workers=count,
                engine=self.engine,
                jobs=self._jobs,
                pids={
                    WORKING: [one.pid for one in workers],
                    ACCEPTING: [os.getpid()],
                    **_each(self._services),
                },
                done=lambda: [read_from(one.url) for one in workers],
                check=partial(_check, workers),
            )


@contextmanager
def cluster(
    settings: EngineSettings,
    services: SharedServices,
    work: Sequence[str],
    environment: Mapping[str, str],
) -> Iterator[Cluster]:
    """One that nobody works for yet. `settings` are of stores on these services."""
    with open_engine(settings) as engine, jobs_over(engine, workers=0) as jobs:
        yield Cluster(engine, jobs, services, work, {**services.environment, **environment})


def _each(services: SharedServices) -> dict[str, Sequence[int]]:
    return {name: [pid] for name, pid in services.pids.items()}


def _check(workers: Sequence[OwnServer]) -> None:
    for one in workers:
        one.check()


def _check_ready(url: str) -> object:
    return anyio.run(told_by, url, "GET", "/ready")
