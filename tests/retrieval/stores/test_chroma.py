import re
import socket
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError

from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.stores import reconnecting
from retrieval.stores.chroma import ChromaVectorStores
from retrieval.stores.chroma_settings import ChromaSettings
from tests.contracts.vector_store import NewVectorStore, VectorStoreContract, unit_vectors


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[ChromaVectorStores]:
    opened = ChromaVectorStores.embedded(tmp_path)
    yield opened
    opened.close()


class TestChromaVectorStore(VectorStoreContract):
    exact = False

    @pytest.fixture
    def new_store(self, stores: ChromaVectorStores) -> NewVectorStore:
        numbers = count()
        return lambda: stores.open(f"store-{next(numbers)}")


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    vectors = unit_vectors(500)
    ids = [str(n) for n in range(500)]
    first = ChromaVectorStores.embedded(tmp_path)
    first.open("kept").upsert(ids, vectors, ["d"] * 500)
    first.close()

    second = ChromaVectorStores.embedded(tmp_path)
    store = second.open("kept")
    assert store.count() == 500
    assert [store.query(vectors[n], 1)[0].id for n in range(0, 500, 99)] == ids[::99]
    second.close()


def test_only_ids_vectors_and_document_ids_are_stored(
    stores: ChromaVectorStores, tmp_path: Path
) -> None:
    stores.open("store").upsert(["a"], unit_vectors(1), ["document"])
    database = sqlite3.connect(tmp_path / "chroma.sqlite3")
    rows = database.execute("SELECT key, string_value FROM embedding_metadata").fetchall()
    database.close()
    assert rows == [("document_id", "document")]


def test_stores_are_separate_and_dropped_by_name(stores: ChromaVectorStores) -> None:
    vectors = unit_vectors(2)
    stores.open("one").upsert(["a"], vectors[:1], ["d"])
    stores.open("two").upsert(["b"], vectors[1:], ["d"])
    assert stores.names() == ["one", "two"]
    stores.drop("one")
    stores.drop("one")
    assert stores.names() == ["two"]
    assert stores.open("one").count() == 0
    assert stores.open("two").query(vectors[0], 5)[0].id == "b"


def test_a_bad_name_is_refused(stores: ChromaVectorStores) -> None:
    with pytest.raises(InvalidRequest):
        stores.open("no/name")


def test_a_dropped_or_closed_store_is_unavailable(tmp_path: Path) -> None:
    stores = ChromaVectorStores.embedded(tmp_path)
    closed, _ = stores.open("closed"), stores.open("dropped")
    dropped = stores.open("dropped", may_make=lambda: False)
    stores.drop("dropped")
    with pytest.raises(StoreUnavailable, match=r"gone from Chroma.*restart"):
        dropped.upsert(["a"], unit_vectors(1), ["d"])
    stores.close()
    with pytest.raises(StoreUnavailable):
        closed.count()


def test_another_dimension_is_refused(stores: ChromaVectorStores) -> None:
    store = stores.open("store")
    store.upsert(["a"], unit_vectors(1, dimension=8), ["d"])
    with pytest.raises(StoreUnavailable, match="dimension of 8, got 9"):
        store.upsert(["b"], unit_vectors(1, dimension=9), ["d"])


def test_a_damaged_directory_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        ChromaVectorStores.embedded(tmp_path)


def test_a_server_that_is_not_there_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconnecting, "_PATIENCE", 0.0)
    with socket.socket() as taken:  # bound but not listening: nothing can answer there
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port} failed: .*refused"):
            ChromaVectorStores.at_server(ChromaSettings(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host", "http://", "http://host:x"])
def test_an_address_must_be_one(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"address of a Chroma server|Port"):
        ChromaVectorStores.at_server(ChromaSettings(url))


@pytest.mark.parametrize(
    "asked",
    [
        ChromaSettings("http://somebody:hunter2@host"),
        ChromaSettings("http://host?token=hunter2"),
        ChromaSettings("http://host", token="hunter2 3"),
        ChromaSettings("http://host", token="hunter2\n3"),
    ],
)
def test_a_secret_that_cannot_be_sent_is_refused_and_not_told(asked: ChromaSettings) -> None:
    with pytest.raises(InvalidRequest, match="FOOTNOTE_CHROMA_TOKEN") as refused:
        ChromaVectorStores.at_server(asked)
    assert "hunter2" not in "".join(format_exception(refused.value))


@pytest.mark.parametrize("name", ["", "ab", "a/b", "../other"])
def test_a_tenant_or_database_must_be_a_name(name: str) -> None:
    for asked in (
        ChromaSettings("http://host", name),
        ChromaSettings("http://host", database=name),
    ):
        with pytest.raises(InvalidRequest, match=f"is {re.escape(repr(name))}: use 3 to 200"):
            ChromaVectorStores.at_server(asked)


@pytest.mark.parametrize(
    ("said", "failures", "answers"),
    [
        ("Error executing plan: Internal error: Error finding id", 3, True),
        ("Error executing plan: Internal error: Error finding id", 99, False),
        ("Error creating hnsw segment reader: Nothing found on disk", 3, True),
        ("Error creating hnsw segment reader: Nothing found on disk", 99, False),
        ("Error executing plan: disk I/O error", 1, False),
    ],
)
def test_what_changes_while_it_is_read_is_no_failure(
    said: str,
    failures: int,
    answers: bool,
    stores: ChromaVectorStores,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vectors = unit_vectors(2)
    store = stores.open("store")
    store.upsert(["a", "b"], vectors, ["d", "d"])
    really, left = Collection.query, iter(range(failures))

    def query(collection: Collection, **asked: Any) -> Any:
        if next(left, None) is not None:
            raise InternalError(said)
        return really(collection, **asked)

    monkeypatch.setattr(Collection, "query", query)
    if answers:
        assert store.query(vectors[0], 1)[0].id == "a"
    else:
        with pytest.raises(StoreUnavailable, match=said):
            store.query(vectors[0], 1)


def test_a_store_that_is_gone_is_made_anew_where_it_may_be(stores: ChromaVectorStores) -> None:
    vectors = unit_vectors(1)
    store, same = stores.open("store"), stores.open("store", may_make=lambda: False)
    stores.drop("store")
    with pytest.raises(StoreUnavailable, match="gone from Chroma"):
        same.ids()
    assert stores.names() == []
    store.upsert(["a"], vectors, ["d"])
    assert same.query(vectors[0], 1)[0].id == "a"
