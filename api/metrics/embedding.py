"""What the embedders have done: read off them when Prometheus asks, kept nowhere else."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from retrieval.embedding.meter import TOKEN_BOUNDS, Measured
from retrieval.embedding.registry import Embedders

_LABELS = ("model", "dtype", "lane")
_COUNTERS = (
    ("batches", "Batches that the model has run"),
    ("texts", "Texts in them"),
    ("tokens", "Tokens in them, special ones included"),
    ("padded_tokens", "Tokens that the model computed for them: longest text x texts"),
    ("failed_texts", "Texts that the model had no vector for"),
    ("busy_seconds", "Time that model threads have spent on them"),
)


class EmbeddingCollector(Collector):
    """The lanes of every embedder that has been needed."""

    def __init__(self, embedders: Embedders) -> None:
        self._embedders = embedders

    def collect(self) -> Iterator[Metric]:
        counters = [
            CounterMetricFamily(f"footnote_embedding_{name}", told, labels=_LABELS)
            for name, told in _COUNTERS
        ]
        waiting = GaugeMetricFamily(
            "footnote_embedding_waiting_texts", "Texts that no model has begun", labels=_LABELS
        )
        padding = GaugeMetricFamily(
            "footnote_embedding_padding_ratio",
            "Tokens computed for each that a text has, since the start",
            labels=_LABELS,
        )
        sizes = HistogramMetricFamily(
            "footnote_embedding_batch_tokens", "Tokens of a batch", labels=_LABELS
        )
        remembered = CounterMetricFamily(
            "footnote_embedding_remembered_questions",
            "Questions whose vectors were known",
            labels=_LABELS[:2],
        )
        for embedder in self._embedders.loaded():
            of_model = [embedder.identity.name, embedder.identity.dtype]
            remembered.add_metric(of_model, embedder.questions_remembered)
            for lane, measured in embedder.measured().items():
                labels = [*of_model, lane.name.lower()]
                for counter, value in zip(counters, _counted(measured), strict=True):
                    counter.add_metric(labels, value)
                waiting.add_metric(labels, embedder.waiting(lane))
                if measured.tokens:
                    padding.add_metric(labels, measured.padded / measured.tokens)
                sizes.add_metric(labels, _buckets(measured), measured.tokens)
        yield from (*counters, waiting, padding, sizes, remembered)


def _counted(measured: Measured) -> tuple[float, ...]:
    """In the order of `_COUNTERS`."""
    return (
        measured.batches,
        measured.texts,
        measured.tokens,
        measured.padded,
        measured.failed,
        measured.seconds,
    )


def _buckets(measured: Measured) -> list[tuple[str, float]]:
    """Batches of at most so many tokens, as Prometheus counts them."""
    bounds = [*(f"{bound}.0" for bound in TOKEN_BOUNDS), "+Inf"]
    return list(zip(bounds, accumulate(measured.classes), strict=True))
