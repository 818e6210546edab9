import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from retrieval.errors import StoreUnavailable
from retrieval.stores import sqlite_locks
from retrieval.stores.chroma import ChromaVectorStore, ChromaVectorStores
from retrieval.stores.chroma_log import CHROMA_FILE
from retrieval.stores.sqlite_locks import SqliteLocks
from tests.another_process import holding
from tests.contracts.vector_store import unit_vectors

VECTORS = unit_vectors(3)
HINDERS = {  # a transaction of another process: whether it hinders reading, writing
    "DEFERRED": (False, True),
    "IMMEDIATE": (False, True),
    "EXCLUSIVE": (True, True),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE any (thing)")
    return path


@pytest.fixture
def locks(file: Path) -> Iterator[SqliteLocks]:
    opened = SqliteLocks(file)
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", HINDERS)
def test_who_hinders_is_known(file: Path, locks: SqliteLocks, kind: str) -> None:
    reading, writing = HINDERS[kind]
    assert locks.holder(writing=True) is None
    with holding(file, kind) as process:
        assert locks.holder(writing=False) == (process if reading else None)
        assert locks.holder(writing=True) == (process if writing else None)
    assert locks.holder(writing=True) is None


def test_locks_of_this_process_are_its_own(file: Path, locks: SqliteLocks) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert locks.holder(writing=True) is None


def test_asking_takes_nothing(file: Path, locks: SqliteLocks) -> None:
    locks.wait(writing=True)
    with holding(file) as process:
        assert locks.holder(writing=True) == process


def test_a_file_that_comes_later_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "later.sqlite3"
    locks = SqliteLocks(path)
    assert locks.holder(writing=True) is None
    sqlite3.connect(path).close()
    with holding(path) as process:
        assert locks.holder(writing=True) == process
    locks.close()


def test_a_short_lock_is_waited_for(file: Path, locks: SqliteLocks) -> None:
    with ExitStack() as stack:
        stack.enter_context(holding(file))
        timer = threading.Timer(0.3, stack.close)
        timer.start()
        locks.wait(writing=True)
        timer.join()


CALLS: dict[str, Callable[[ChromaVectorStores, ChromaVectorStore], object]] = {
    "upsert": lambda _, store: store.upsert(["b"], VECTORS[1:2], ["d"]),
    "delete": lambda _, store: store.delete(["a"]),
    "query": lambda _, store: store.query(VECTORS[0], 1),
    "count": lambda _, store: store.count(),
    "ids": lambda _, store: store.ids(),
    "vectors": lambda _, store: store.vectors(["a"]),
    "open": lambda stores, _: stores.open("other"),
    "drop": lambda stores, _: stores.drop("other"),
    "names": lambda stores, _: stores.names(),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_locks, "_PATIENCE", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_store_that_another_process_locks_is_unavailable_and_nothing_stands_still(
    tmp_path: Path,
) -> None:
    stores = ChromaVectorStores.embedded(tmp_path)
    store = stores.open("store")
    store.upsert(["a"], VECTORS[:1], ["d"])
    for name, call in CALLS.items():
        with holding(tmp_path / CHROMA_FILE) as process, _awake():
            advice = f"Process {process} has locked .*{re.escape(CHROMA_FILE)}.*Nothing is lost"
            with pytest.raises(StoreUnavailable, match=advice):
                call(stores, store)
        call(stores, store)
        assert store.query(VECTORS[1], 3), name
        stores.open("other")
        store.upsert(["a"], VECTORS[:1], ["d"])
    stores.close()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["query", "count"])
def test_the_first_use_of_an_index_waits_for_readers_too(tmp_path: Path, name: str) -> None:
    stores = ChromaVectorStores.embedded(tmp_path)
    store = stores.open("store")
    store.upsert(["a"], VECTORS[:1], ["d"])
    with holding(tmp_path / CHROMA_FILE, "DEFERRED"), _awake(), pytest.raises(StoreUnavailable):
        CALLS[name](stores, store)
    CALLS[name](stores, store)
    with holding(tmp_path / CHROMA_FILE, "DEFERRED"):
        CALLS[name](stores, store)
    stores.close()


@pytest.mark.usefixtures("impatient")
def test_a_locked_directory_is_not_opened(tmp_path: Path) -> None:
    ChromaVectorStores.embedded(tmp_path).close()
    with holding(tmp_path / CHROMA_FILE), pytest.raises(StoreUnavailable, match="has locked"):
        ChromaVectorStores.embedded(tmp_path)
    ChromaVectorStores.embedded(tmp_path).close()


class _awake:  # noqa: N801 - reads as a function
    """Fails if this process stood still for long: another thread looks at the clock."""

    def __enter__(self) -> None:
        self._over = threading.Event()
        self._longest = 0.0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._longest < 2

    def _watch(self) -> None:
        last = time.monotonic()
        while not self._over.wait(0.01):
            now = time.monotonic()
            self._longest, last = max(self._longest, now - last), now
