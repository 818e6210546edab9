"""An engine over the catalogue of another, as a second process has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retrieval.chunks import Chunks
from retrieval.documents import Documents
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.indexing import Indexer
from retrieval.knowledge_bases import KnowledgeBases
from retrieval.opening import GenerationStores
from retrieval.ports import EmbeddingBackend
from tests.catalogues import catalogue_in


@contextmanager
def beside(engine: Engine) -> Iterator[Engine]:
    """It shares nothing with the first but the catalogue, and stores as if those had servers."""
    database = catalogue_in(engine.settings.data)
    other = replace(
        engine,
        database=database,
        knowledge_bases=KnowledgeBases(database),
        documents=Documents(database),
        chunks=Chunks(database),
        indexer=Indexer(database, engine.stores, engine.blobs),
    )
    yield other
    other.indexer.close()


@contextmanager
def whole_beside(
    engine: Engine, data: Path, backend: EmbeddingBackend | None = None
) -> Iterator[Engine]:
    """The same, and whatever an engine remembers is its own. `data` is its directory."""
    stores = engine.stores
    assert isinstance(stores, GenerationStores)

    @contextmanager
    def shared(*_: Any) -> Iterator[GenerationStores]:
        yield GenerationStores(stores._vectors, stores._lexical, stores._database)

    data.mkdir()
    (data / "blobs").symlink_to(engine.settings.data / "blobs")
    settings = replace(engine.settings, data=data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retrieval.engine.open_stores", shared)
        with open_engine(settings, backend or HashingBackend()) as other:
            yield other
