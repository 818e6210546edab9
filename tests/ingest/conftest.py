"""A workshop over an empty directory, and its jobs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.job_store import JobStore
from retrieval.engine import Engine
from tests.conftest import OpenEngine
from tests.ingest.workshop import NewJobs, Workshop, jobs_of


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    return Workshop(open_test_engine)


@pytest.fixture
def new_jobs(shop: Workshop) -> Iterator[NewJobs]:
    with jobs_of(shop) as new:
        yield new


@pytest.fixture
def store(engine: Engine) -> JobStore:
    return JobStore(engine.database)


@pytest.fixture
def never_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser's process takes a file, and doesn't answer."""
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
