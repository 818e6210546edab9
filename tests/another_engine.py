"""An engine over the catalogue of another, as a second process has one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from retrieval.chunks import Chunks
from retrieval.documents import Documents
from retrieval.engine import Engine
from retrieval.indexing import Indexer
from retrieval.knowledge_bases import KnowledgeBases
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
