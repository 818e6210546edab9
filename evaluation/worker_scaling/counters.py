"""What ingestion has done so far, in this process or by what another one tells Prometheus."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families

from evaluation.errors import LoadError
from retrieval.embedding.lanes import Lane
from retrieval.engine import Engine
from retrieval.observing import Unobserved

_INGEST = "ingest"
_STAGE = "footnote_ingest_stage_duration_seconds_sum"
_DOCUMENTS = "footnote_ingested_documents_total"
_TEXTS = "footnote_embedding_texts_total"
_PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Done:
    """Seconds by stage, summed over threads; documents; texts that a model embedded for them."""

    stages: Mapping[str, float] = field(default_factory=dict)
    documents: int = 0
    embedded: int = 0

    def since(self, before: "Done") -> "Done":
        return Done(
            {name: took - before.stages.get(name, 0.0) for name, took in self.stages.items()},
            self.documents - before.documents,
            self.embedded - before.embedded,
        )


def summed(every: Sequence[Done]) -> Done:
    """What several have done together."""
    names = dict.fromkeys(name for done in every for name in done.stages)
    return Done(
        {name: sum(done.stages.get(name, 0.0) for done in every) for name in names},
        sum(done.documents for done in every),
        sum(done.embedded for done in every),
    )


class StageTimes(Unobserved):
    """An observer of an engine that adds up what ingestion takes. Any thread may tell it."""

    def __init__(self) -> None:
        self._stages: dict[str, float] = {}
        self._documents = 0
        self._lock = threading.Lock()

    def took(self, work: str, stage: str, seconds: float) -> None:
        if work == _INGEST:
            with self._lock:
                self._stages[stage] = self._stages.get(stage, 0.0) + seconds

    def ingested(self, outcome: str) -> None:  # noqa: ARG002
        with self._lock:
            self._documents += 1

    def done(self, engine: Engine) -> Done:
        """So far, by the engine that it watches."""
        embedded = (one.measured()[Lane.DOCUMENT].texts for one in engine.embedders.loaded())
        with self._lock:
            return Done(dict(self._stages), self._documents, sum(embedded))


def read_from(url: str) -> Done:
    """What the process at this URL has done so far. Raises LoadError."""
    try:
        reply = httpx.get(f"{url}/metrics", timeout=_PATIENCE, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        raise LoadError(f"{url}/metrics doesn't answer: {error}.") from error
    return read_metrics(reply.text)


def read_metrics(text: str) -> Done:
    """What is told in Prometheus' text format."""
    stages: dict[str, float] = {}
    documents = embedded = 0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _STAGE:
                stages[sample.labels["stage"]] = sample.value
            elif sample.name == _DOCUMENTS:
                documents += int(sample.value)
            elif sample.name == _TEXTS and sample.labels["lane"] == Lane.DOCUMENT.name.lower():
                embedded += int(sample.value)
    return Done(stages, documents, embedded)
