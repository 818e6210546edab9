from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ingest import archiving, sources
from ingest.pipeline import Pipeline
from retrieval.calibration import UNCALIBRATED, Found
from retrieval.embedding.cache import text_hash
from retrieval.engine import Engine
from retrieval.fusion import Fusion
from retrieval.search import Query
from retrieval.types import Chunking, KnowledgeBase, KnowledgeBaseSettings, Vectors
from tests.conftest import OpenEngine
from tests.ingest.workshop import CountingBackend, CountingParser

SUBJECTS = "bridge harbour engine glacier library orchard satellite violin".split()
DEEDS = "opened closed repaired painted measured sold moved forgot".split()
PLACES = "Lisbon Oslo Quito Hanoi Dakar Perth Lima Turin Minsk Accra".split()


class Noise(CountingBackend):
    """A model whose vectors have nothing to do with the text."""

    def vectors(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        seeds = [int(text_hash(text)[:8], 16) for text in texts]
        made = np.stack([np.random.default_rng(s).normal(size=256) for s in seeds])
        return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


def article(number: int) -> str:
    subject, place = SUBJECTS[number % 8], PLACES[number % 10]
    return " ".join(
        f"In {1900 + number} the {subject} of {place} number {number} was {deed} by team {number}."
        for deed in DEEDS
    )


def filled(
    engine: Engine, documents: int, settings: KnowledgeBaseSettings | None = None
) -> KnowledgeBase:
    cut = Chunking(64, 0)
    kb, _ = engine.create("docs", settings or KnowledgeBaseSettings(cut))
    add(engine, kb, range(documents))
    return kb


def add(engine: Engine, kb: KnowledgeBase, numbers: range) -> None:
    pipeline = Pipeline(engine, CountingParser(), 10_000)
    for number in numbers:
        source = sources.text(f"d{number}", article(number), f"Report {number}", None)
        pipeline.ingest(kb, source, lambda *_: None)


def found_again(engine: Engine, kb: KnowledgeBase) -> Found:
    calibration = engine.calibrator.refresh(kb)
    assert calibration
    return calibration.found


def test_a_model_that_does_not_understand_gets_little_to_say(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine(Noise())
    kb = filled(engine, 60)
    calibration = engine.calibrator.refresh(kb)
    assert calibration
    found = calibration.found
    assert found.kept
    assert found.weight < 0.1
    assert found.held_out.dense < 0.2 < found.held_out.lexical
    assert found.held_out.weighted > found.held_out.equal
    weighing = engine.searcher.search(kb, Query("the harbour of Oslo")).weighing
    assert weighing
    assert (weighing.fusion, weighing.origin) == (Fusion.BACKGROUND, "calibration")
    assert weighing.weight == found.weight


def test_it_is_the_same_again(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    kb = filled(engine, 60)
    first = engine.calibrator.refresh(kb)
    reopened = open_test_engine()
    kept = reopened.calibrations.of(reopened.open("docs"))
    assert first
    assert kept
    assert kept.found == first.found
    assert np.array_equal(kept.background.covariance, first.background.covariance)
    assert np.array_equal(kept.background.mean, first.background.mean)


def test_it_is_the_same_wherever_the_texts_are(
    open_test_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.calibrating._SAMPLE", 64)
    monkeypatch.setattr("retrieval.calibrating._ITEMS", 64)
    engine = open_test_engine()
    here = filled(engine, 60)
    there, _ = engine.create("others", KnowledgeBaseSettings(Chunking(64, 0)))
    add(engine, there, range(59, -1, -1))
    one, other = engine.calibrator.refresh(here), engine.calibrator.refresh(there)
    assert one
    assert other
    assert one.background.size > 64
    assert np.array_equal(one.background.covariance, other.background.covariance)
    assert (one.found.weight, one.found.tuned) == (other.found.weight, other.found.tuned)


def test_little_text_says_nothing(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    kb = filled(engine, 3)
    assert engine.calibrator.refresh(kb) is None
    weighing = engine.searcher.search(kb, Query("the harbour of Oslo")).weighing
    assert weighing
    assert (weighing.fusion, weighing.weight, weighing.origin) == (
        Fusion.CONVEX,
        UNCALIBRATED,
        "default",
    )


def test_it_costs_something_only_when_there_is_much_that_is_new(
    open_test_engine: OpenEngine,
) -> None:
    backend = CountingBackend()
    engine = open_test_engine(backend)
    kb = filled(engine, 60)
    first = engine.calibrator.refresh(kb)
    embedded = len(backend.embedded)
    assert first
    assert found_again(engine, kb) == first.found
    add(engine, kb, range(60, 70))
    embedded_then = len(backend.embedded)
    assert embedded_then > embedded
    assert found_again(engine, kb) == first.found
    assert len(backend.embedded) == embedded_then
    add(engine, kb, range(70, 130))
    assert found_again(engine, kb) != first.found


def test_a_weight_that_is_set_is_used(open_test_engine: OpenEngine) -> None:
    backend = CountingBackend()
    engine = open_test_engine(backend)
    kb = filled(engine, 60, KnowledgeBaseSettings(Chunking(64, 0), dense_weight=0.9))
    embedded = len(backend.embedded)
    assert engine.calibrator.refresh(kb)
    assert len(backend.embedded) == embedded
    weighing = engine.searcher.search(kb, Query("the harbour of Oslo")).weighing
    assert weighing
    assert (weighing.weight, weighing.origin) == (0.9, "settings")
    kb, _ = engine.create("docs", KnowledgeBaseSettings(Chunking(64, 0)))
    assert engine.calibrator.refresh(kb)
    assert len(backend.embedded) > embedded


def test_who_stops_it_leaves_nothing(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    kb = filled(engine, 60)

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        engine.calibrator.refresh(kb, stop)
    assert engine.calibrations.of(kb) is None


def test_where_it_fails_nothing_else_does(open_test_engine: OpenEngine) -> None:
    backend = CountingBackend()
    engine = open_test_engine(backend)
    kb = filled(engine, 60)
    backend.vectors = lambda texts: np.zeros((len(texts), 256), np.float32)  # type: ignore[method-assign]
    assert engine.calibrator.refresh(kb) is None
    del backend.vectors
    assert engine.calibrator.refresh(kb)


def test_an_archive_takes_it_along(open_test_engine: OpenEngine, tmp_path: Path) -> None:
    backend = CountingBackend()
    engine = open_test_engine(backend)
    kb = filled(engine, 60)
    made = engine.calibrator.refresh(kb)
    archiving.export(engine, kb, tmp_path / "kb.zip", lambda _: None)
    embedded = len(backend.embedded)
    copy = archiving.restore(engine, tmp_path / "kb.zip", "copy", lambda _: None)
    adopted = engine.calibrations.of(copy)
    assert made
    assert adopted
    assert adopted.found == made.found
    assert len(backend.embedded) == embedded
