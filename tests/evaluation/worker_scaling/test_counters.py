"""What ingestion tells of itself, in this process and through Prometheus."""

import pytest
from prometheus_client import generate_latest

from api.metrics.registry import Metrics
from evaluation.errors import LoadError
from evaluation.worker_scaling.counters import Done, StageTimes, read_from, read_metrics, summed
from retrieval.engine import Engine

EMBEDDED = """
# TYPE footnote_embedding_texts_total counter
footnote_embedding_texts_total{model="m",dtype="f",lane="document"} 7.0
footnote_embedding_texts_total{model="m",dtype="f",lane="question"} 3.0
"""


def test_what_prometheus_is_told_is_read() -> None:
    metrics = Metrics()
    for seconds in (0.5, 0.25):
        metrics.work.took("ingest", "writing", seconds)
    metrics.work.took("search", "dense", 9.0)
    metrics.work.ingested("added")
    metrics.work.ingested("duplicate")
    told = generate_latest(metrics.registry).decode()
    assert read_metrics(told) == Done({"writing": 0.75}, documents=2)
    assert read_metrics(EMBEDDED).embedded == 7


def test_an_observer_counts_the_same(engine: Engine) -> None:
    times = StageTimes()
    for seconds in (0.5, 0.25):
        times.took("ingest", "writing", seconds)
    times.took("search", "dense", 9.0)
    times.ingested("added")
    engine.embedder.embed_documents(["A text.", "Another text."])
    assert times.done(engine) == Done({"writing": 0.75}, documents=1, embedded=2)


def test_counts_are_added_up_from_a_moment_on() -> None:
    one = Done({"parsing": 2.0, "writing": 3.0}, 5, 1).since(Done({"parsing": 1.5}, 4, 1))
    assert one == Done({"parsing": 0.5, "writing": 3.0}, 1, 0)
    assert summed([one, Done({"parsing": 1.0}, 2, 4)]) == Done(
        {"parsing": 1.5, "writing": 3.0}, 3, 4
    )


def test_who_does_not_answer_is_named() -> None:
    with pytest.raises(LoadError, match=r"127\.0\.0\.1:9"):
        read_from("http://127.0.0.1:9")
