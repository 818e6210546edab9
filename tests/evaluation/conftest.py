from collections.abc import Iterator

import pytest

from retrieval.engine import Engine
from tests.retrieval.library import Library


@pytest.fixture
def library(engine: Engine) -> Iterator[Library]:
    library = Library(engine)
    yield library
    library.indexer.close()
