"""What there is now, and what waits: read off the service when Prometheus asks."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from api.listeners import Listeners
from api.service import Service
from ingest.types import Stage
from retrieval.schema import documents, generations, knowledge_bases, versions

_WAITING = tuple(stage for stage in Stage if not stage.final)


class HoldingsCollector(Collector):
    """Counts of the catalogue, sizes on disk and in memory, the queue."""

    def __init__(self, service: Service, listeners: Listeners) -> None:
        self._service, self._listeners = service, listeners

    def collect(self) -> Iterator[Metric]:
        yield self._queue()
        yield from self._catalogue()
        yield self._sizes()
        engine = self._service.engine
        yield _gauge("disk_free_bytes", "Free where the data is", _free(engine.settings.data))
        resident = engine.residents.size
        yield _gauge("resident_vector_bytes", "Memory that exact vectors take, about", resident)
        yield _gauge("listeners", "Connections that follow a queue", self._listeners.room.taken)

    def _queue(self) -> Metric:
        jobs = GaugeMetricFamily(
            "footnote_jobs", "Jobs that aren't over, by state", labels=["state"]
        )
        counts = self._service.jobs.counts()
        for stage in _WAITING:
            jobs.add_metric([stage.value], counts.get(stage, 0))
        return jobs

    def _catalogue(self) -> Iterator[Metric]:
        counted = (
            (
                "knowledge_bases",
                "Knowledge bases",
                select(func.count()).select_from(knowledge_bases),
            ),
            ("generations", "Indexes of them", select(func.count()).select_from(generations)),
            ("documents", "Live documents", select(func.count(documents.c.live_version))),
            (
                "original_bytes",
                "Of all versions",
                select(func.coalesce(func.sum(versions.c.size), 0)),
            ),
        )
        with self._service.engine.database.read() as connection:
            found = [(name, told, connection.scalar(query)) for name, told, query in counted]
        for name, told, count in found:
            yield _gauge(name, told, count or 0)

    def _sizes(self) -> Metric:
        engine = self._service.engine
        data = engine.settings.data
        sizes = GaugeMetricFamily("footnote_store_bytes", "Files of a store", labels=["store"])
        sizes.add_metric(["catalogue"], engine.database.size())
        for store in ("chroma", "lexical"):
            sizes.add_metric([store], _size((data / store).rglob("*")))
        return sizes


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"footnote_{name}", told, value=value)


def _free(directory: Path) -> int:
    return shutil.disk_usage(directory).free


def _size(paths: Iterable[Path]) -> int:
    """Of those files that are still there when they are looked at."""
    total = 0
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        total += found.st_size if S_ISREG(found.st_mode) else 0
    return total
