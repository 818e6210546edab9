import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, func, select, text, update

from retrieval.database import Database
from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.ports import Posting
from retrieval.schema import word_pages, word_segments, word_stores
from retrieval.stores import postgres_words, recent_lists, segment_rows
from retrieval.stores.exact_lexical import ExactLexicalStore
from retrieval.stores.postgres_words import PostgresLexicalStore, PostgresLexicalStores
from retrieval.stores.tantivy_index import TantivyLexicalStores
from tests.catalogues import catalogue_in, on_postgres
from tests.contracts.lexical_store import LexicalStoreContract, NewLexicalStore, fill, found
from tests.postgres import running
from tests.retrieval.stores.made_up import QUESTIONS, postings

pytestmark = on_postgres

SOON = 30.0  # seconds that nothing here takes


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


@pytest.fixture
def stores(database: Database) -> PostgresLexicalStores:
    return PostgresLexicalStores(database)


@pytest.fixture
def elsewhere(tmp_path: Path, stores: PostgresLexicalStores) -> PostgresLexicalStores:
    """The same stores in another process."""
    return PostgresLexicalStores(catalogue_in(tmp_path))


class TestPostgresLexicalStore(LexicalStoreContract):
    @pytest.fixture
    def new_store(self, stores: PostgresLexicalStores) -> NewLexicalStore:
        numbers = count()
        return lambda: stores.open(f"store-{next(numbers)}")


def rows(database: Database) -> tuple[int, int, int]:
    """How many stores, segments and pages there are."""
    with database.read() as connection:
        tables = (word_stores, word_segments, word_pages)
        counted = [connection.scalar(select(func.count()).select_from(one)) for one in tables]
    return counted[0] or 0, counted[1] or 0, counted[2] or 0


def test_it_answers_as_tantivy_does(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores, tmp_path: Path
) -> None:
    chunks = postings(3_000)
    tantivy = TantivyLexicalStores(tmp_path).open("words")
    tantivy.upsert(chunks)
    for at in range(0, len(chunks), 150):
        stores.open("words").upsert(chunks[at : at + 150])
    some = {chunk.document_id for chunk in chunks[::40]}
    for question in QUESTIONS:
        for documents in (None, some):
            theirs = tantivy.query(question, 100, documents)
            for store in (stores.open("words"), elsewhere.open("words")):
                ours = store.query(question, 100, documents)
                assert [hit.id for hit in ours] == [hit.id for hit in theirs]
                assert [hit.score for hit in ours] == pytest.approx(
                    [hit.score for hit in theirs], rel=1e-5
                )


def test_the_deleted_count_in_no_statistic(stores: PostgresLexicalStores) -> None:
    store, exact = stores.open("words"), ExactLexicalStore()
    chunks = [Posting(f"{n}", f"d{n % 5}", f"word{n % 7} and " * (n % 9 + 1)) for n in range(90)]
    for at in range(0, 90, 10):
        store.upsert(chunks[at : at + 10])
        exact.upsert(chunks[at : at + 10])
        for one in (store, exact):
            one.delete([f"{n}" for n in range(at, at + 10, 3)])
        assert dict(store.query("word3 and", 100)) == pytest.approx(
            dict(exact.query("word3 and", 100)), rel=1e-6
        )


def test_what_one_process_writes_the_others_find(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores
) -> None:
    fill(stores.open("words"), "one text", "two texts")
    assert found(elsewhere.open("words"), "text") == ["0", "1"]
    elsewhere.open("words").delete(["0"])
    assert found(stores.open("words"), "text") == ["1"]
    assert stores.open("words").frequencies(["one", "two"]) == {"one": 0, "two": 1}


def test_stores_are_separate_and_dropped_by_name_with_all_they_have(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores, database: Database
) -> None:
    fill(stores.open("one"), "text")
    fill(stores.open("two"), "", "text")
    left = elsewhere.open("one")
    assert stores.names() == ["one", "two"]
    stores.drop("one")
    stores.drop("one")
    assert elsewhere.names() == ["two"]
    assert rows(database) == (1, 1, 1)
    for asked in (left.count, lambda: found(left, "text"), lambda: fill(left, "text")):
        with pytest.raises(StoreUnavailable, match="deleted meanwhile"):
            asked()
    assert stores.open("one").count() == 0
    assert found(stores.open("two"), "text") == ["1"]
    assert left.count() == 0


def test_a_bad_name_is_refused(stores: PostgresLexicalStores) -> None:
    for refused in (stores.open, stores.drop):
        with pytest.raises(InvalidRequest):
            refused("../elsewhere")


def test_words_by_another_analyser_are_never_used(
    stores: PostgresLexicalStores,
    elsewhere: PostgresLexicalStores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = fill(stores.open("words"), "text")
    monkeypatch.setattr(postgres_words, "VERSION", 0)
    asking: Sequence[Callable[[], object]] = (
        lambda: elsewhere.open("words"),
        lambda: found(store, "text"),
        lambda: fill(store, "text"),
    )
    for asked in asking:
        with pytest.raises(StoreUnavailable, match="another version of the analyser, 1, not 0"):
            asked()
    elsewhere.drop("words")
    assert elsewhere.open("words").count() == 0


def test_processes_write_and_read_one_store_at_once(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores, database: Database
) -> None:
    """A round writes ten chunks that all have a word of its own, which are seen all or none."""
    rounds, seen = 12, set[int]()
    stop = threading.Event()

    def write(worker: int) -> None:
        store = (stores, elsewhere)[worker % 2].open("words")
        for n in range(rounds):
            written = [Posting(f"{worker}-{at}", f"d{worker}", f"round{n}") for at in range(10)]
            both = Posting("shared", "shared", f"worker{worker}")
            store.upsert([*written, both] if worker % 3 else [both, *reversed(written)])
        store.delete([f"{worker}-0"])

    def read(store: PostgresLexicalStore) -> None:
        while not stop.is_set():
            for n in range(rounds - 1):  # of the last one a chunk is deleted
                hits = store.query(f"round{n}", 100)
                seen.add(len(hits))
                assert len({hit.score for hit in hits}) <= 1

    with ThreadPoolExecutor(8) as threads:
        readers = [threads.submit(read, one.open("words")) for one in (stores, elsewhere)]
        try:
            for done in [threads.submit(write, worker) for worker in range(6)]:
                done.result(SOON * 3)
        finally:
            stop.set()
        for reader in readers:
            reader.result(SOON)
    assert {size % 10 for size in seen} == {0}
    for one in (stores, elsewhere):
        assert one.open("words").count() == 6 * 9 + 1
        assert one.open("words").frequencies([f"round{rounds - 1}"]) == {f"round{rounds - 1}": 54}
    assert rows(database)[1] < 30


def test_a_write_that_fails_leaves_nothing(
    stores: PostgresLexicalStores, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fill(stores.open("words"), "first text")
    before = rows(database)

    def broken(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(postgres_words, "write_segment", broken)
        with pytest.raises(OSError):
            fill(store, "second text", "more")
    assert rows(database) == before
    assert found(store, "first second more") == ["0"]
    fill(store, "second text")
    assert (found(store, "first"), found(store, "second")) == ([], ["0"])


def test_a_writer_waits_for_that_of_the_same_store_alone(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores, database: Database
) -> None:
    mine, other = elsewhere.open("mine"), elsewhere.open("other")
    written = threading.Event()

    def write() -> None:
        fill(mine, "text")
        written.set()

    with database.beside() as connection:
        query = select(word_stores.c.name).where(word_stores.c.name == "mine").with_for_update()
        connection.execute(query)
        thread = threading.Thread(target=write)
        thread.start()
        fill(other, "text")
        assert mine.count() == 0
        with database.write():  # what decides about the catalogue waits for none of them
            assert not written.wait(0.2)
    thread.join(SOON)
    assert found(mine, "text") == ["0"]


def test_the_words_are_written_while_somebody_writes_to_the_catalogue(
    stores: PostgresLexicalStores, database: Database
) -> None:
    with database.write():
        fill(stores.open("words"), "text")
        assert found(stores.open("words"), "text") == ["0"]


def test_a_state_that_was_seen_before_a_restoration_is_not_taken_for_another(
    stores: PostgresLexicalStores, elsewhere: PostgresLexicalStores, database: Database
) -> None:
    """Other chunks deleted than this process knows, and just as many."""
    fill(stores.open("words"), "text", "text", "text")
    with database.read() as connection:
        before = connection.execute(select(word_segments)).one()
    elsewhere.open("words").delete(["0"])
    assert found(stores.open("words"), "text") == ["1", "2"]
    with database.beside() as connection:
        connection.execute(
            update(word_segments).values(deleted=before.deleted, revision=before.revision)
        )
    elsewhere.open("words").delete(["2"])
    assert found(stores.open("words"), "text") == ["0", "1"]


def test_a_lost_page_is_told(stores: PostgresLexicalStores, database: Database) -> None:
    fill(stores.open("words"), "text")
    with database.beside() as connection:
        connection.execute(delete(word_pages))
    with pytest.raises(StoreUnavailable, match="lost a part"):
        stores.open("words").query("text", 1)


def test_no_more_lists_are_kept_than_there_is_room_for(
    stores: PostgresLexicalStores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_lists, "_RECENT", 3_000)
    chunks = postings(300)
    store, exact = stores.open("words"), ExactLexicalStore()
    store.upsert(chunks)
    exact.upsert(chunks)
    for question in QUESTIONS:
        assert len(store.query(question, 500)) == len(exact.query(question, 500))
    kept = stores._recent
    assert 0 < kept._held <= 3_000
    assert kept._held == sum(recent_lists._size(one) for one in kept._lists.values())


def test_a_lost_connection_is_unavailable_and_found_again() -> None:
    with running() as server:
        database = Database(server.url)
        store = fill(PostgresLexicalStores(database).open("words"), "text")
        server.stop("immediate")
        for asked in (store.count, lambda: found(store, "text"), lambda: fill(store, "more")):
            with pytest.raises(StoreUnavailable, match="can't be reached"):
                asked()
        server.start()
        assert found(store, "text") == ["0"]
        database.close()


def test_who_is_cut_off_while_writing_has_written_nothing(
    stores: PostgresLexicalStores, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fill(stores.open("words"), "first text")
    real = segment_rows.mark_deleted

    def cut_off(connection: object, state: object, ids: np.ndarray) -> None:
        real(connection, state, ids)  # type: ignore[arg-type]
        with database.write() as killer:
            killer.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks"
                    " WHERE relation = 'word_segments'::regclass AND mode = 'RowExclusiveLock'"
                    " AND pid <> pg_backend_pid()"
                )
            )

    with monkeypatch.context() as patched:
        patched.setattr(postgres_words, "mark_deleted", cut_off)
        with pytest.raises(StoreUnavailable):
            fill(store, "second text")
    assert (found(store, "first"), found(store, "second")) == (["0"], [])
