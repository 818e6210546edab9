"""Calibrations that processes share."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.types import KnowledgeBase
from tests.another_engine import whole_beside
from tests.catalogues import on_postgres
from tests.retrieval.test_calibrating import filled

pytestmark = on_postgres


@pytest.fixture
def kb(engine: Engine) -> KnowledgeBase:
    return filled(engine, 60)


@pytest.fixture
def other(engine: Engine, kb: KnowledgeBase, tmp_path: Path) -> Iterator[Engine]:
    with whole_beside(engine, tmp_path / "other") as another:
        yield another


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
