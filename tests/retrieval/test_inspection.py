"""What `footnote doctor` finds, and mends."""

import numpy as np
import pytest
from sqlalchemy import delete, select, update

from retrieval.inspection import Finding, Inspection
from retrieval.schema import chunks, documents, embeddings
from retrieval.types import KnowledgeBase
from tests.conftest import OpenEngine
from tests.ingest.workshop import Workshop, note


@pytest.fixture
def shop(open_test_engine: OpenEngine) -> Workshop:
    shop = Workshop(open_test_engine)
    shop.ingest(note("a", "Zebra here.", meta={"year": 2026}))
    shop.ingest(note("b", "Lion here."))
    return shop


@pytest.fixture
def inspection(shop: Workshop) -> Inspection:
    engine = shop.engine
    return Inspection(engine.database, engine.stores, engine.blobs)


def wrong(found: list[Finding]) -> list[str]:
    return [finding.subject for finding in found if not finding.ok]


def chunk_ids(shop: Workshop) -> list[str]:
    with shop.engine.database.read() as connection:
        return [*connection.scalars(select(chunks.c.id))]


def generation(kb: KnowledgeBase) -> str:
    return kb.generation.id


def test_a_whole_directory_is_well(inspection: Inspection) -> None:
    found = inspection.inspect(repair=False)
    assert len(found) > 6
    assert wrong(found) == []


def test_a_missing_vector_and_a_missing_posting_are_mended(
    shop: Workshop, inspection: Inspection
) -> None:
    one, other = chunk_ids(shop)
    shop.engine.stores.vectors(generation(shop.kb)).delete([one])
    shop.engine.stores.lexical(generation(shop.kb)).delete([other])
    assert wrong(inspection.inspect(repair=False)) == ["docs: chunks", "docs: sample"]
    mended = inspection.inspect(repair=True)
    assert [f.subject for f in mended if f.mended] == ["docs: chunks"]
    assert "1 missing, 0 too many; postings: 1 missing" in next(
        f.detail for f in mended if f.mended
    )
    assert wrong(inspection.inspect(repair=False)) == []
    assert shop.found("zebra") == ["a"]


def test_a_wrong_vector_is_noticed(shop: Workshop, inspection: Inspection) -> None:
    one, other = chunk_ids(shop)
    store = shop.engine.stores.vectors(generation(shop.kb))
    right = store.vectors([one, other])
    store.upsert([one], right[other][None], ["d"])
    assert wrong(inspection.inspect(repair=False)) == ["docs: sample"]
    assert [f.subject for f in inspection.inspect(repair=True) if f.mended] == ["docs: sample"]
    assert wrong(inspection.inspect(repair=False)) == []
    assert np.array_equal(store.vectors([one])[one], right[one])


def test_strays_are_found_and_taken_away(shop: Workshop, inspection: Inspection) -> None:
    blob = shop.engine.blobs.put(b"nobody's")
    shop.engine.stores._vectors.open("nobodys")  # type: ignore[attr-defined]
    shop.engine.cached_embedder(shop.kb).embed(["of no chunk"])
    found = inspection.inspect(repair=False)
    assert wrong(found) == ["stores", "cached vectors", "original bytes"]
    mended = inspection.inspect(repair=True)
    assert all(finding.mended for finding in mended if not finding.ok)
    assert wrong(inspection.inspect(repair=False)) == []
    assert not shop.engine.blobs.has(blob)


def test_lost_bytes_and_lost_vectors_are_told(shop: Workshop, inspection: Inspection) -> None:
    blob = next(iter(shop.engine.blobs.digests()))
    shop.engine.blobs.delete(blob)
    with shop.engine.database.write() as connection:
        connection.execute(delete(embeddings))
    found = {f.subject: f for f in inspection.inspect(repair=True) if not f.ok}
    assert not found["original bytes"].mended
    assert blob in found["original bytes"].detail
    assert found["chunks"].detail.startswith("2 have no vector")


def test_a_version_that_never_became_live_is_taken_away(
    shop: Workshop, inspection: Inspection
) -> None:
    with shop.engine.database.write() as connection:
        connection.execute(
            update(documents).where(documents.c.uri == "a").values(live_version=None)
        )
    assert wrong(inspection.inspect(repair=False))[0] == "versions"
    inspection.inspect(repair=True)
    assert wrong(inspection.inspect(repair=False)) == []
    assert [d.uri for d in shop.engine.documents.list(shop.kb, 10)] == ["b"]


def test_a_deleted_document_leaves_no_trace(shop: Workshop, inspection: Inspection) -> None:
    document = shop.ingest(note("c", "Tiger here.", meta={"tags": ("x", "y")})).document_id
    shop.ingest(note("c", "Tiger and panther here."))
    left = wrong(inspection.trace(document))
    tables = ("documents", "document_metadata", "versions", "stretches", "chunks")
    assert left == [f"table {table}" for table in tables]
    shop.engine.indexer.remove(shop.kb, document)
    shop.engine.indexer.settle()
    assert wrong(inspection.trace(document)) == []


def test_what_a_failed_removal_leaves_is_seen(shop: Workshop, inspection: Inspection) -> None:
    document = shop.ingest(note("c", "Tiger here.")).document_id
    store = shop.engine.stores.vectors(generation(shop.kb))
    before = store.ids()
    vectors = store.vectors(list(before))
    shop.engine.indexer.remove(shop.kb, document)
    shop.engine.indexer.settle()
    gone = (before - store.ids()).pop()
    store.upsert([gone], vectors[gone][None], [document])
    assert wrong(inspection.trace(document)) == ["vector store"]
