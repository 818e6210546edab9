import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import func, select

from retrieval import dialects, removal
from retrieval.database import Database
from retrieval.dialects.dialect import BUSY_SECONDS
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, KnowledgeBaseNotFound, StoreUnavailable
from retrieval.lease import Heart
from retrieval.ports import Stores
from retrieval.schema import marks, metadata
from retrieval.side_by_side import AT_ONCE
from tests.catalogues import on_postgres
from tests.retrieval.faults import Fault, FaultyDatabase
from tests.retrieval.library import SOON, Library


@dataclass(frozen=True, slots=True)
class Hanging:
    """A store that takes its time: it begins, and goes on when it is let."""

    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


TEXT = "# Zebra\n\nThe zebra is striped.\n\n# 斑马\n\n斑马有条纹。\n"
OTHER = "# Zebra\n\nThe zebra is striped.\n\n# Lion\n\nLions are not.\n"


def rows(engine: Engine) -> dict[str, int]:
    """How many rows each table holds, but for that of marks, which tells nothing of documents."""
    with engine.database.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in metadata.sorted_tables
            if table is not marks
        }


def blobs(library: Library) -> int:
    library.indexer.settle()
    return len({*library.engine.blobs.digests()})


def test_nothing_is_left_of_a_document(library: Library) -> None:
    before = rows(library.engine)
    document = library.add("a", TEXT, {"year": 2026, "team": ("法务", "sales")}).document_id
    assert rows(library.engine) != before
    library.indexer.remove(library.kb, document)
    assert rows(library.engine) == before
    assert library.stored() == (0, 0)
    assert blobs(library) == 0
    assert library.hits("zebra 斑马") == ()


def test_removals_that_wait_share_a_sweep(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = [library.add(f"d{n}", TEXT).document_id for n in range(8)]
    swept: list[int] = []
    sweep = removal.sweep

    def noted(held: Database, stores: Stores, stale: Sequence[removal.StaleChunk]) -> None:
        swept.append(len(stale))
        sweep(held, stores, stale)

    monkeypatch.setattr(removal, "sweep", noted)
    go = threading.Event()
    library.indexer._writer.submit(go.wait, SOON)
    with ThreadPoolExecutor(len(added)) as pool:
        running = [pool.submit(library.indexer.remove, library.kb, one) for one in added]
        while library.indexer._writer._work_queue.qsize() < len(added):
            time.sleep(0.01)  # there is nothing to wait on
        go.set()
    assert [one.result() for one in running] == [None] * len(added)
    assert library.hits("zebra 斑马") == ()
    assert library.stored() == (0, 0)
    assert [count for count in swept if count] == [2 * len(added)]


def test_what_was_removed_can_come_back_before_the_stores_have_followed(library: Library) -> None:
    document = library.add("a", TEXT).document_id

    def remove_unswept(database: Database) -> None:
        stale, unused = removal.document(database, library.kb, document)
        library.indexer._stale[library.kb.id] += stale
        library.indexer.release(unused)

    library.indexer.run(remove_unswept)
    assert library.hits("zebra 斑马") == ()
    assert library.add("a", TEXT).document_id == document
    assert len(library.hits("zebra 斑马")) == 2
    assert library.stored() == (2, 2)


def test_closing_lets_the_stores_follow(library: Library) -> None:
    other = Library(library.engine, "other")
    document = other.add("a", TEXT).document_id
    closing = threading.Event()
    other.indexer._writer.submit(closing.wait, SOON)
    with ThreadPoolExecutor(2) as pool:
        removed = pool.submit(other.indexer.remove, other.kb, document)
        while not other.indexer._writer._work_queue.qsize():
            time.sleep(0.01)  # there is nothing to wait on
        closed = pool.submit(other.indexer.close)
        while not other.indexer._writer._shutdown:
            time.sleep(0.01)
        closing.set()
        assert (removed.result(), closed.result()) == (None, None)
    generation = other.kb.generation.id
    assert library.engine.stores.vectors(generation).count() == 0


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


@pytest.mark.parametrize("call", [2, 3])  # each of the stores
def test_a_store_that_fails_brings_nothing_back(library: Library, call: int) -> None:
    document = library.add("a", TEXT).document_id
    library.faults.calls, library.faults.fail_at = 0, call
    library.indexer.remove(library.kb, document)
    library.indexer.settle()
    assert library.faults.calls >= call
    assert library.hits("zebra 斑马") == ()
    assert library.add("a", TEXT).chunks == 2
    assert len(library.hits("zebra 斑马")) == 2


def test_a_blob_that_a_waiting_job_needs_stays(library: Library) -> None:
    """See `removal.release`; jobs belong to another package, so the row is made here."""
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
    library.indexer.settle()
    assert library.engine.blobs.has(blob)
    with library.engine.database.write() as connection:
        connection.execute(jobs.update().values(state="failed"))
    removal.release(library.engine.database, library.engine.blobs, [blob])
    assert not library.engine.blobs.has(blob)


@pytest.fixture
def hanging(library: Library, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hanging]:
    """What deletes bytes waits until it is let go on."""
    found, delete = Hanging(), library.engine.blobs.delete

    def slow(digest: str) -> None:
        found.begun.set()
        assert found.go_on.wait(SOON)
        delete(digest)

    monkeypatch.setattr(library.engine.blobs, "delete", slow)
    yield found
    found.go_on.set()


def test_nobody_waits_for_bytes_that_are_being_deleted(library: Library, hanging: Hanging) -> None:
    first, second = library.add("a", TEXT), library.add("b", OTHER)
    library.indexer.remove(library.kb, first.document_id)
    assert hanging.begun.wait(SOON)
    library.engine.create("other")
    library.add("c", "# Okapi\n\nOkapis are shy.\n")
    library.indexer.remove(library.kb, second.document_id)
    assert [*library.texts("okapi zebra")] == ["c"]
    assert not hanging.go_on.is_set()
    hanging.go_on.set()
    assert blobs(library) == 1


def test_bytes_that_come_back_while_they_are_deleted_are_put_anew(
    library: Library, hanging: Hanging
) -> None:
    document = library.add("a", TEXT).document_id
    blob = library.engine.documents.live_blob(library.kb, document) or ""
    library.indexer.remove(library.kb, document)
    assert hanging.begun.wait(SOON)
    with ThreadPoolExecutor(1) as pool:
        again = pool.submit(library.add, "a", TEXT)
        with pytest.raises(TimeoutError):
            again.result(0.2)
        hanging.go_on.set()
        again.result(SOON)
    library.indexer.settle()
    assert library.engine.blobs.get(blob) == TEXT.encode()


@on_postgres
def test_who_lost_the_digests_it_holds_deletes_none_of_them(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialects.postgres, "_STALLED_SECONDS", 0.5)
    monkeypatch.setattr(Heart, "start", lambda _: None)
    engine = library.engine
    strays = [engine.blobs.put(data) for data in (b"one", b"other")]

    def stopped(database: Database, digests: Sequence[str]) -> Sequence[str]:
        with database.hold(digests, seconds=int(SOON)):
            return digests

    monkeypatch.setattr(removal, "_unused", stopped)
    with pytest.raises(StoreUnavailable, match="lost"):
        removal.release(engine.database, engine.blobs, strays)
    assert {*engine.blobs.digests()} == {*strays}


def test_one_original_that_cannot_be_deleted_keeps_no_other(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = library.engine.blobs
    kept, *others = sorted(store.put(f"{n}".encode()) for n in range(2 * AT_ONCE))
    delete = store.delete

    def away(digest: str) -> None:
        if digest == kept:
            raise StoreUnavailable("away")
        delete(digest)

    monkeypatch.setattr(store, "delete", away)
    with pytest.raises(StoreUnavailable, match="away"):
        removal.release(library.engine.database, store, [kept, *others])
    assert [*store.digests()] == [kept]


def test_who_waited_too_long_for_bytes_to_be_deleted_is_told_so(library: Library) -> None:
    database, digest = library.engine.database, library.engine.blobs.put(b"bytes")

    class Impatient(Database):
        def __init__(self) -> None:
            """Open nothing."""

        def wait(self, names: Iterable[str], *, seconds: int = 1) -> None:
            database.wait(names, seconds=seconds)

    with (
        database.hold([digest]),
        pytest.raises(StoreUnavailable, match="same bytes are just being deleted"),
    ):
        removal.await_deletion(Impatient(), [digest])


def test_originals_are_deleted_side_by_side_and_few_are_held(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = library.engine.blobs
    digests = [store.put(f"{n}".encode()) for n in range(2 * AT_ONCE)]
    all_of_them, delete = threading.Barrier(AT_ONCE, timeout=SOON), store.delete
    held: list[int] = []

    def together(digest: str) -> None:
        all_of_them.wait()
        delete(digest)

    class Watched(FaultyDatabase):
        @contextmanager
        def hold(self, names: Iterable[str], *, seconds: int = BUSY_SECONDS) -> Iterator[Database]:
            names = [*names]
            held.append(len(names))
            with super().hold(names, seconds=seconds) as database:
                yield database

    monkeypatch.setattr(store, "delete", together)
    removal.release(Watched(library.engine.database, library.faults), store, digests)
    assert [*store.digests()] == []
    assert held == [AT_ONCE] * 2
