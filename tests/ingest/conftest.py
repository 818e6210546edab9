"""A workshop over an empty directory, and its jobs."""

from collections.abc import Iterator

import pytest

from tests.conftest import OpenEngine
from tests.ingest.workshop import NewJobs, Workshop, jobs_of


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    return Workshop(open_test_engine)


@pytest.fixture
def new_jobs(shop: Workshop) -> Iterator[NewJobs]:
    with jobs_of(shop) as new:
        yield new
