from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from retrieval import removal
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, KnowledgeBaseNotFound
from retrieval.schema import metadata
from tests.retrieval.faults import Fault
from tests.retrieval.library import Library

TEXT = "# Zebra\n\nThe zebra is striped.\n\n# 斑马\n\n斑马有条纹。\n"
OTHER = "# Zebra\n\nThe zebra is striped.\n\n# Lion\n\nLions are not.\n"


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table holds."""
    with engine.database.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
        }


def blobs(library: Library) -> int:
    folder = library.engine.settings.data / "blobs"
    return sum(path.is_file() for path in folder.rglob("*"))


def test_nothing_is_left_of_a_document(library: Library) -> None:
    before = rows(library.engine)
    document = library.add("a", TEXT, {"year": 2026, "team": ("法务", "sales")}).document_id
    assert rows(library.engine) != before
    library.indexer.remove(library.kb, document)
    assert rows(library.engine) == before
    assert library.stored() == (0, 0)
    assert blobs(library) == 0
    assert library.hits("zebra 斑马") == ()


def test_what_another_document_uses_stays(library: Library) -> None:
    first, second = library.add("a", TEXT), library.add("b", TEXT)
    library.indexer.remove(library.kb, first.document_id)
    assert blobs(library) == 1
    assert list(library.texts("zebra 斑马")) == ["b"]
    library.indexer.remove(library.kb, second.document_id)
    assert blobs(library) == 0


def test_a_vector_stays_as_long_as_any_chunk_has_its_text(library: Library) -> None:
    first = library.add("same", TEXT)
    other = Library(library.engine, "other")
    other.add("same", TEXT)
    assert rows(library.engine)["embeddings"] == 2
    library.indexer.remove(library.kb, first.document_id)
    assert rows(library.engine)["embeddings"] == 2
    other.indexer.remove_knowledge_base(other.kb)
    assert rows(library.engine)["embeddings"] == 0
    other.indexer.close()


def test_nothing_is_left_of_a_knowledge_base_and_others_stay(library: Library) -> None:
    library.add("a", TEXT)
    before = rows(library.engine)
    other = Library(library.engine, "other")
    other.add("a", OTHER)
    other.indexer.remove_knowledge_base(other.kb)
    other.indexer.close()
    assert rows(library.engine) == before
    assert blobs(library) == 1
    assert library.stored() == (2, 2)
    with pytest.raises(KnowledgeBaseNotFound):
        library.engine.knowledge_bases.get("other")


def test_a_name_can_be_used_again(library: Library) -> None:
    library.add("a", TEXT)
    library.indexer.remove_knowledge_base(library.kb)
    library.kb, new = library.engine.create("library")
    assert new
    assert library.hits("zebra") == ()
    library.add("a", OTHER)
    assert len(library.hits("zebra")) == 2


def test_a_document_of_another_knowledge_base_cannot_be_removed(library: Library) -> None:
    document = library.add("a", TEXT).document_id
    other = Library(library.engine, "other")
    with pytest.raises(DocumentNotFound, match="other"):
        other.indexer.remove(other.kb, document)
    other.indexer.close()
    assert len(library.hits("zebra 斑马")) == 2


def test_a_removal_that_cannot_be_committed_leaves_everything(library: Library) -> None:
    document = library.add("a", TEXT).document_id
    before = rows(library.engine), library.stored(), blobs(library), library.texts("zebra 斑马")
    removals: tuple[Callable[[], None], ...] = (
        lambda: library.indexer.remove(library.kb, document),
        lambda: library.indexer.remove_knowledge_base(library.kb),
    )
    for remove in removals:
        library.faults.calls, library.faults.fail_at = 0, 1
        with pytest.raises(Fault):
            remove()
        after = rows(library.engine), library.stored(), blobs(library), library.texts("zebra 斑马")
        assert after == before


def test_stores_that_cannot_be_dropped_leave_no_file_behind(library: Library) -> None:
    library.add("a", TEXT)
    library.faults.calls, library.faults.fail_at = 0, 2
    library.indexer.remove_knowledge_base(library.kb)
    assert set(rows(library.engine).values()) == {0}
    assert blobs(library) == 0


@pytest.mark.parametrize("call", [2, 3])
def test_a_store_that_fails_brings_nothing_back(library: Library, call: int) -> None:
    document = library.add("a", TEXT).document_id
    library.faults.calls, library.faults.fail_at = 0, call
    library.indexer.remove(library.kb, document)
    assert library.hits("zebra 斑马") == ()
    assert library.add("a", TEXT).chunks == 2
    assert len(library.hits("zebra 斑马")) == 2


def test_a_blob_that_a_waiting_job_needs_stays(library: Library) -> None:
    """See `removal._blob_is_used`; jobs belong to another package, so the row is made here."""
    document = library.add("a", TEXT).document_id
    jobs = metadata.tables["jobs"]
    blob, _, _ = library.engine.documents.original(library.kb, document)
    values: dict[str, Any] = {column.name: 0 for column in jobs.columns} | {
        "id": "j",
        "kb_id": library.kb.id,
        "blob": blob,
        "state": "queued",
        "source": {},
        "outcome": None,
        "error": None,
        "document_id": document,
    }
    with library.engine.database.write() as connection:
        connection.execute(jobs.insert().values(**values))
    library.indexer.remove(library.kb, document)
    assert library.engine.blobs.has(blob)
    with library.engine.database.write() as connection:
        connection.execute(jobs.update().values(state="failed"))
    removal.release(library.engine.database, library.engine.blobs, [blob])
    assert not library.engine.blobs.has(blob)
