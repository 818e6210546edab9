import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, select, text

from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.schema import embeddings, metadata, words
from tests.catalogues import catalogue_in, on_sqlite


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


def put(database: Database, key: str) -> None:
    with database.write() as connection:
        connection.execute(
            embeddings.insert().values(model_fingerprint="m", text_hash=key, vector=b"v")
        )


def keys(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.scalars(select(embeddings.c.text_hash)))


def test_migrations_make_the_schema_that_the_code_describes(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection)
        described: Any = [metadata, words] if database.shared else metadata
        assert compare_metadata(context, described) == []


def test_what_is_written_survives_reopening(tmp_path: Path, database: Database) -> None:
    put(database, "kept")
    database.close()
    assert keys(catalogue_in(tmp_path)) == {"kept"}


def test_an_exception_takes_everything_back(database: Database) -> None:
    with pytest.raises(KeyError), database.write() as connection:
        connection.execute(
            embeddings.insert().values(model_fingerprint="m", text_hash="x", vector=b"v")
        )
        raise KeyError
    assert keys(database) == set()


def test_a_reader_sees_one_state_while_another_writes(database: Database) -> None:
    put(database, "before")
    with database.read() as reader:
        query = select(embeddings.c.text_hash)
        assert set(reader.scalars(query)) == {"before"}
        put(database, "after")
        assert set(reader.scalars(query)) == {"before"}
    assert keys(database) == {"before", "after"}


def test_each_statement_of_a_glance_sees_what_is_written_by_then(database: Database) -> None:
    put(database, "before")
    with database.glance() as reader:
        query = select(embeddings.c.text_hash)
        assert set(reader.scalars(query)) == {"before"}
    with database.glance() as reader:
        put(database, "after")
        assert set(reader.scalars(query)) == {"before", "after"}


def test_what_is_written_beside_is_there_unless_it_fails(database: Database) -> None:
    rows = [{"model_fingerprint": "m", "text_hash": key, "vector": b"v"} for key in ("a", "b")]
    with database.beside() as connection:
        connection.execute(embeddings.insert().values(rows[0]))
    with pytest.raises(KeyError), database.beside() as connection:
        connection.execute(embeddings.insert().values(rows[1]))
        raise KeyError
    assert keys(database) == {"a"}


def test_writers_wait_for_each_other_and_see_what_the_other_wrote(database: Database) -> None:
    barrier = threading.Barrier(8)

    def number_next(_: int) -> None:
        barrier.wait(30)
        for _ in range(5):
            with database.write() as connection:
                known = connection.scalar(select(func.count()).select_from(embeddings))
                row = {"model_fingerprint": "m", "text_hash": str(known), "vector": b"v"}
                connection.execute(embeddings.insert().values(row))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(number_next, range(8)))
    assert keys(database) == {str(number) for number in range(40)}


@on_sqlite
def test_what_is_written_is_on_disk_when_acknowledged(database: Database) -> None:
    with database.read() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize(
    "content", [b"this is no database" * 100, b"SQLite format 3\0" + b"\1" * 500]
)
def test_a_file_that_is_no_catalogue_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalogue.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"catalogue\.sqlite"):
        Database.at(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["wh?at", "100%", "ha#sh", "pe%20r cent", "目录 🙂"])
def test_a_path_is_taken_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    Database.at(tmp_path / name / "catalogue.sqlite").close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name / "catalogue.sqlite").stat().st_size > 0


def test_a_catalogue_of_a_newer_version_is_refused(tmp_path: Path, database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(StoreUnavailable, match="newer version"):
        catalogue_in(tmp_path)


@on_sqlite
def test_sqlite_is_told_what_is_typical_of_every_large_index(database: Database) -> None:
    listing = "SELECT tbl_name, name FROM sqlite_schema WHERE type = 'index'"
    with database.read() as connection:
        indexes = {(row[0], row[1]) for row in connection.exec_driver_sql(listing)}
        rows = connection.exec_driver_sql("SELECT tbl, idx FROM sqlite_stat1")
        told = {(row[0], row[1]) for row in rows}
    large = {"chunks", "documents", "document_metadata", "embeddings", "pages", "stretches"}
    large |= {"versions"}
    assert told <= indexes
    assert {pair for pair in indexes if pair[0] in large} <= told
