"""How ingestion of documents whose vectors are known grows with workers, and what ends that."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date

from evaluation.machine import describe, other_work
from evaluation.measuring import Track
from evaluation.services.shared import shared_services
from evaluation.worker_scaling.figures import ScalingFigures
from evaluation.worker_scaling.runs import (
    Inventory,
    Run,
    Watch,
    documents_of,
    prepare,
    run,
    warm_up,
)
from evaluation.worker_scaling.sites import Cluster, Site, cluster, one_process
from ingest.jobs import Request
from retrieval.processor import available_cores
from retrieval.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured: so many documents of so many pages, by one process with these
    `settings`, and by up to so many `workers` that `work` starts, with this `environment` beside
    what is there; those into one knowledge base, and into so many.
    """

    settings: EngineSettings
    work: tuple[str, ...]
    environment: Mapping[str, str]
    workers: int
    documents: int
    pages: int
    knowledge_bases: int
    rounds: int
    command_line: str

    @property
    def spreads(self) -> tuple[int, ...]:
        """Over how many knowledge bases documents are spread."""
        return tuple(sorted({1, self.knowledge_bases}))

    def counts(self, at: int) -> list[int]:
        """Of workers in a round, 0 for the process that has its own stores: there and back."""
        return list(range(self.workers + 1))[:: -1 if at % 2 else 1]


def measure(plan: Plan, track: Track) -> ScalingFigures:
    """Raises LoadError where a process ends, or ingests nothing for long."""
    note = other_work()
    requests = documents_of(plan.documents, plan.pages)
    with ExitStack() as stack:
        services = stack.enter_context(shared_services())
        embedded = replace(plan.settings, data=plan.settings.data / "embedded")
        beside = replace(plan.settings, data=plan.settings.data / "accepting")
        alone = stack.enter_context(one_process(embedded, services))
        shared = stack.enter_context(services.used_by(beside))
        many = stack.enter_context(cluster(shared, services, plan.work, plan.environment))
        measuring = _Measuring(plan, requests, alone, many, track)
        runs = [one for at in range(plan.rounds) for one in measuring.round(at)]
        model = many.engine.embedder.identity.name
    return ScalingFigures(
        machine=describe(),
        made=date.today(),
        command=plan.command_line,
        model=model,
        cores=available_cores(),
        documents=plan.documents,
        pages=plan.pages,
        chunks=sum(measuring.expected.values()),
        rounds=plan.rounds,
        runs=tuple(runs),
        notes=(note,) if note else (),
    )


class _Measuring:
    """Rounds of runs, over stores that know all vectors by then."""

    def __init__(
        self, plan: Plan, requests: list[Request], alone: Site, many: Cluster, track: Track
    ) -> None:
        self._plan, self._requests, self._alone, self._many = plan, requests, alone, many
        each = 1 + plan.workers * len(plan.spreads)
        self._sent, self._watch = 0, track("documents", (2 + plan.rounds * each) * plan.documents)
        self.expected: Inventory = prepare(alone, requests, self._told())
        with many.working(1) as site:
            prepare(site, requests, self._told())

    def round(self, at: int) -> Iterator[Run]:
        """A run of each kind, of which those with most workers come first every other time."""
        for count in self._plan.counts(at):
            if not count:
                yield self._run(self._alone, 1)
                continue
            with self._many.working(count) as site:
                warm_up(site, self._requests)
                for spread in self._plan.spreads:
                    yield self._run(site, spread)

    def _run(self, site: Site, spread: int) -> Run:
        return run(site, self._requests, spread, self.expected, self._told())

    def _told(self) -> Watch:
        before, self._sent = self._sent, self._sent + self._plan.documents
        return lambda done: self._watch(before + done)
