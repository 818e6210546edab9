"""Calibrations that processes share."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval import calibrating
from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.types import KnowledgeBase
from tests.another_engine import whole_beside
from tests.catalogues import on_postgres
from tests.ingest.workshop import SOON, CountingBackend
from tests.retrieval.test_calibrating import filled

pytestmark = on_postgres


@pytest.fixture
def kb(engine: Engine) -> KnowledgeBase:
    return filled(engine, 60)


@pytest.fixture
def other(
    engine: Engine, kb: KnowledgeBase, tmp_path: Path, backend: CountingBackend
) -> Iterator[Engine]:
    with whole_beside(engine, tmp_path / "other", backend) as another:
        yield another


@pytest.fixture
def backend() -> CountingBackend:
    return CountingBackend()


def weight(engine: Engine, kb: KnowledgeBase) -> tuple[float, str]:
    weighing = engine.searcher.search(kb, Query("the harbour of Oslo")).weighing
    assert weighing
    return weighing.weight, weighing.origin


def test_what_one_found_all_use(engine: Engine, other: Engine, kb: KnowledgeBase) -> None:
    assert weight(other, kb) == (0.5, "default")
    made = engine.calibrator.refresh(kb)
    assert made
    assert weight(other, kb) == (made.found.weight, "calibration")
    again = replace(made, found=replace(made.found, weight=0.25, made_at=made.found.made_at + 1.0))
    engine.calibrations.keep(kb, again)
    for one in (engine, other):
        assert weight(one, kb) == (0.25, "calibration")
        kept = one.calibrations.of(kb)
        assert kept
        assert kept.found == again.found


def test_one_makes_it_and_the_others_wait(
    engine: Engine,
    other: Engine,
    kb: KnowledgeBase,
    backend: CountingBackend,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calibrating, "_LOOK", 0.01)
    begun, waited = threading.Event(), threading.Event()

    def begin() -> None:
        begun.set()
        assert waited.wait(SOON)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(engine.calibrator.refresh, kb, begin)
        assert begun.wait(SOON)
        found = other.calibrator.refresh(kb, waited.set)
        made = first.result()
    assert made
    assert found
    assert found.found == made.found
    assert backend.embedded == []


def test_who_waits_may_stop(engine: Engine, other: Engine, kb: KnowledgeBase) -> None:
    def stop() -> None:
        raise TimeoutError

    with engine.works.turn(f"calibration {kb.id}", kb) as turn, pytest.raises(TimeoutError):
        assert turn
        other.calibrator.refresh(kb, stop)
    assert other.calibrations.of(kb) is None


def test_one_that_fails_leaves_it_to_another(
    engine: Engine, other: Engine, kb: KnowledgeBase
) -> None:
    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        engine.calibrator.refresh(kb, stop)
    assert other.calibrator.refresh(kb)
