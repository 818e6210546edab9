from dataclasses import replace

import pytest

from ingest.job_store import Failure, Job, JobStore
from ingest.types import Source, Stage
from retrieval.engine import Engine
from retrieval.errors import KnowledgeBaseNotFound
from retrieval.types import KnowledgeBase
from tests.conftest import OpenEngine
from tests.ingest.workshop import queued


@pytest.fixture
def kb(engine: Engine) -> KnowledgeBase:
    return engine.create("docs")[0]


def source(one: Job) -> Source:
    return Source(one.uri, "name", b"data")


def test_a_job_comes_back_as_it_was_added(store: JobStore, kb: KnowledgeBase) -> None:
    for one in (queued(kb, "a"), replace(queued(kb, "b"), unique=False, uri="文\U0001f642\n\0")):
        [kept] = store.add([(one, source(one))])
        assert store.get(one.id) == kept
        assert kept == replace(one, created_at=kept.created_at, updated_at=kept.updated_at)
    assert store.get("c") is None


@pytest.mark.parametrize(
    "kept",
    [
        Source("u", "n", b"data"),
        Source("文", "名🙂", b"data", "text/plain", "题", {}),
        Source("u", "n", b"data", metadata={"a": 1, "b": 2.5, "c": True, "d": "x", "e": ("y", 1)}),
        Source("", "", b"", title="", media_type=""),
    ],
)
def test_a_source_comes_back_as_it_was_added(
    store: JobStore, kb: KnowledgeBase, kept: Source
) -> None:
    store.add([(queued(kb, "a"), kept)])
    assert store.source("a", kept.data) == kept


def test_where_a_job_stands_is_kept_over_a_restart(open_test_engine: OpenEngine) -> None:
    engine = open_test_engine()
    kb, _ = engine.create("docs")
    one = queued(kb, "a")
    first = JobStore(engine.database)
    [kept] = first.add([(one, source(one))])
    moved = replace(
        kept,
        document_id="other",
        state=Stage.FAILED,
        outcome="added",
        done=3,
        total=7,
        error=Failure("TooLarge", "文件 “a” is too large."),
    )
    first.save(moved)
    found = JobStore(open_test_engine().database).get("a")
    assert found is not None
    assert found.updated_at > kept.updated_at
    assert replace(found, updated_at=kept.updated_at) == moved


def test_the_unfinished_are_those_that_are_not_final_oldest_first(
    store: JobStore, kb: KnowledgeBase
) -> None:
    jobs = [queued(kb, stage.value) for stage in reversed(Stage)]
    store.add([(one, source(one)) for one in jobs])
    for one in jobs:
        store.save(replace(one, state=Stage(one.id)))
    expected = [stage.value for stage in reversed(Stage) if not stage.final]
    assert [job.id for job in store.unfinished()] == expected
    assert store.has_unfinished()
    assert len(expected) == 5


def test_adding_nothing_adds_nothing(store: JobStore) -> None:
    store.add([])
    assert not store.has_unfinished()


def test_jobs_are_added_all_or_none(store: JobStore, kb: KnowledgeBase) -> None:
    gone = replace(queued(kb, "b"), kb_id="gone", knowledge_base="gone")
    with pytest.raises(KnowledgeBaseNotFound):
        store.add([(queued(kb, "a"), source(gone)), (gone, source(gone))])
    assert store.get("a") is None


def test_saving_a_job_that_is_gone_brings_nothing_back(
    store: JobStore, engine: Engine, kb: KnowledgeBase
) -> None:
    one = queued(kb, "a")
    store.add([(one, source(one))])
    engine.indexer.remove_knowledge_base(kb)
    store.save(replace(one, state=Stage.DONE))
    assert store.get("a") is None
