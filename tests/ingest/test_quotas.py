import pytest

from ingest import quotas
from ingest.jobs import Jobs, Request
from ingest.pipeline import Pipeline
from ingest.types import Source
from retrieval.access import Principal, Scope, acting_as
from retrieval.engine import Engine
from retrieval.errors import Overloaded, QuotaExceeded

NAMES = ("mine", "other")


@pytest.fixture
def jobs(engine: Engine, pipeline: Pipeline) -> Jobs:
    for name in NAMES:
        engine.create(name)
    return Jobs(engine, pipeline, workers=1)  # not started: what is sent waits


def _send(engine: Engine, jobs: Jobs, *uris: str, kb: str = "mine") -> None:
    sources = [Source(uri=uri, name=uri, data=b"text", media_type="text/plain") for uri in uris]
    jobs.submit(engine.knowledge_bases.get(kb), [Request(source) for source in sources])


def _holder(most: int | None, *names: str) -> Principal:
    return Principal("k", frozenset({Scope.WRITE}), frozenset(names) if names else None, most)


def test_a_quota_counts_what_is_there_and_what_is_coming(engine: Engine, jobs: Jobs) -> None:
    _send(engine, jobs, "a")
    _send(engine, jobs, "x", "y", "z", kb="other")
    with acting_as(_holder(3, "mine")):
        _send(engine, jobs, "b", "c")
        with pytest.raises(QuotaExceeded, match="up to 3 documents; 3 are there"):
            _send(engine, jobs, "d")
    assert len(jobs.newest(100)) == 6


def test_a_request_is_taken_whole_or_not_at_all(engine: Engine, jobs: Jobs) -> None:
    with acting_as(_holder(2, "mine")):
        with pytest.raises(QuotaExceeded):
            _send(engine, jobs, "a", "b", "c")
        assert jobs.newest(100) == []
        _send(engine, jobs, "a", "b")


def test_a_new_version_takes_no_place(engine: Engine, jobs: Jobs) -> None:
    with acting_as(_holder(1, "mine")):
        _send(engine, jobs, "a")
        _send(engine, jobs, "a", "a")
    assert len(jobs.newest(100)) == 3


def test_documents_that_are_live_count(engine: Engine, pipeline: Pipeline, jobs: Jobs) -> None:
    source = Source(uri="a", name="a.txt", data=b"Some text.", media_type="text/plain")
    pipeline.ingest(engine.open("mine"), source, lambda *_: None)
    with acting_as(_holder(1, "mine")):
        _send(engine, jobs, "a")
        with pytest.raises(QuotaExceeded):
            _send(engine, jobs, "b")


def test_nobody_else_is_limited(engine: Engine, jobs: Jobs) -> None:
    _send(engine, jobs, "a", "b")
    with acting_as(_holder(None)):
        _send(engine, jobs, "c")
    with acting_as(_holder(1)), pytest.raises(QuotaExceeded):
        _send(engine, jobs, "d", kb="other")


def test_what_waits_of_one_key_leaves_room_for_the_others(
    engine: Engine, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "MAX_WAITING", 6)
    with acting_as(_holder(None, "mine")):
        _send(engine, jobs, "a", "b", "c")
        with pytest.raises(Overloaded, match="may be of one key"):
            _send(engine, jobs, "d")
    with acting_as(_holder(None, "other")):
        _send(engine, jobs, "x", kb="other")
        with pytest.raises(Overloaded):
            _send(engine, jobs, "y", kb="other")
    with acting_as(_holder(None)):  # for all knowledge bases: nobody is beside it
        _send(engine, jobs, "y", "z")
        with pytest.raises(Overloaded):
            _send(engine, jobs, "d")
