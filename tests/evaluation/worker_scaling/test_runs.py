"""Runs of one process over stores of its own, and what is wrong with what they leave."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.errors import LoadError
from evaluation.services.shared import SharedServices
from evaluation.worker_scaling import runs
from evaluation.worker_scaling.counters import Done
from evaluation.worker_scaling.runs import check, documents_of, prepare, run, warm_up
from evaluation.worker_scaling.sites import PARSING, WORKING, Site, one_process
from retrieval.settings import EngineSettings

DOCUMENTS = documents_of(5, 1)
NOBODY = SharedServices({}, {}, {}, {}, {})


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(runs, "_QUIET_WITHIN", 0.0)
    with one_process(EngineSettings(tmp_path, embedding_model="hashing"), NOBODY) as site:
        yield site


def test_all_documents_come_in_with_known_vectors(site: Site) -> None:
    seen: list[int] = []
    expected = prepare(site, DOCUMENTS, seen.append)
    assert seen[-1] == 5
    assert set(expected) == {f"{number}.pdf" for number in range(5)}
    warm_up(site, DOCUMENTS)
    found = run(site, DOCUMENTS, 2, expected, seen.append)
    assert found.faults == ()
    assert (found.workers, found.knowledge_bases, found.documents) == (0, 2, 5)
    assert found.chunks == sum(expected.values()) >= 5
    assert found.processors[WORKING] > 0
    assert PARSING in found.processors
    assert {"parsing", "writing"} <= found.stages.keys()
    names = [kb.name for kb in site.engine.knowledge_bases.all()]
    assert len(names) == 1, "of which the vectors are kept"


def test_vectors_that_have_to_be_made_are_a_fault(site: Site) -> None:
    expected = prepare(site, DOCUMENTS[:4], lambda _: None)
    found = run(site, DOCUMENTS, 1, expected, lambda _: None)
    unexpected, embedded = found.faults
    assert unexpected == "4.pdf is there, and was never sent."
    assert "texts were embedded" in embedded


def test_each_document_is_to_be_there_once_with_all_its_chunks() -> None:
    expected = {"a": 1, "b": 2, "c": 3}
    assert [*check([("a", 1), ("b", 2), ("c", 3)], expected, Done())] == []
    held = [("a", 1), ("a", 1), ("b", 1), ("d", 4)]
    assert [*check(held, expected, Done(embedded=3))] == [
        "c isn't there.",
        "d is there, and was never sent.",
        "a is there 2 times.",
        "b has 1 chunks, not 2.",
        "3 texts were embedded, whose vectors should have been known.",
    ]


def test_a_worker_that_ingests_nothing_is_told(site: Site) -> None:
    idle = replace(site, done=lambda: [Done(documents=0)])
    with pytest.raises(LoadError, match="ingests nothing"):
        warm_up(idle, DOCUMENTS)


def test_a_queue_that_stands_still_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_STUCK", -1.0)
    with pytest.raises(LoadError, match="No document was ingested"):
        run(site, DOCUMENTS, 1, {}, lambda _: None)
