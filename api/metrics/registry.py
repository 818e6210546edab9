"""All that Prometheus is told."""

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
)

from api.listeners import Listeners
from api.metrics.embedding import EmbeddingCollector
from api.metrics.holdings import HoldingsCollector
from api.metrics.work import RequestCounts, WorkCounts
from api.service import Service
from api.version import VERSION


class Metrics:
    """The counts of one application; those of its service once that is open."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = RequestCounts(self.registry)
        self.work = WorkCounts(self.registry)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Info("footnote", "What runs", registry=self.registry).info({"version": VERSION})

    def watch(self, service: Service, listeners: Listeners) -> None:
        """Tell of this service too."""
        self.registry.register(EmbeddingCollector(service.engine.embedders))
        self.registry.register(HoldingsCollector(service, listeners))
