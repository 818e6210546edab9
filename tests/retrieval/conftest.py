from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.database import Database
from retrieval.engine import Engine
from tests.catalogues import catalogue_in
from tests.retrieval.library import Library


@pytest.fixture
def library(engine: Engine) -> Iterator[Library]:
    library = Library(engine)
    yield library
    library.indexer.close()


@pytest.fixture
def one(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def other(tmp_path: Path, one: Database) -> Database:
    """The same catalogue, as another process has it open."""
    return catalogue_in(tmp_path)
