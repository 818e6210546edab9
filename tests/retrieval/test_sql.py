"""Text means the same in every database."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from ingest.pipeline import Pipeline
from ingest.types import Source
from retrieval import filters
from retrieval.database import Database
from retrieval.documents import containing
from retrieval.engine import Engine
from retrieval.errors import InvalidRequest, StoreUnavailable
from retrieval.schema import marks, stretches, versions
from retrieval.sql import insert_new, lowered
from tests.catalogues import catalogue_in

ORDERED = ["", " b", "-a", "A", "B", "_", "a", "b", "z", "É", "ß", "é", "中", "\ufdd1", "😀"]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return catalogue_in(tmp_path)


def put(database: Database, *names: str, value: str = "") -> None:
    with database.write() as connection:
        connection.execute(marks.insert(), [{"name": name, "value": value} for name in names])


def test_text_is_ordered_by_its_code_points(database: Database) -> None:
    put(database, *reversed(ORDERED))
    with database.read() as connection:
        assert [*connection.scalars(select(marks.c.name).order_by(marks.c.name))] == ORDERED
        above = select(marks.c.name).where(marks.c.name > "_").order_by(marks.c.name)
        assert [*connection.scalars(above)] == ORDERED[ORDERED.index("_") + 1 :]


@pytest.mark.parametrize("text", ["ÄÖÜ İ", "ΟΔΟΣ", "ДОМ", "ÉCOLE", "Ǆ", "Straße"])
def test_capitals_of_any_script_are_lowered(database: Database, text: str) -> None:
    put(database, text)
    with database.read() as connection:
        assert connection.scalar(select(lowered(marks.c.name))) == text.lower()


@pytest.mark.parametrize("text", ["a\0b", "\0", "\ufdd0", "\ufdd0\ufdd0\0\ufdd1", "\\u0000", "\\"])
def test_every_character_comes_back(
    engine: Engine, pipeline: Pipeline, text: str, database: Database
) -> None:
    put(database, text, value=text)
    with database.read() as connection:
        row = connection.execute(select(marks).where(marks.c.name == text)).one()
        assert (row.name, row.value) == (text, text)
    kb, _ = engine.create("kb")
    source = Source(text, f"{text}.md", b"Tea is at four.", metadata={"key": text, text: (text,)})
    pipeline.ingest(kb, source, lambda *_: None)
    [found] = engine.documents.list(kb, 10, where=containing(text))
    assert (found.uri, found.metadata) == (text, {"key": text, text: (text,)})
    assert engine.documents.count(kb, filters.condition({text: {"$in": [text]}})) == 1


def test_long_values_are_found_whole(engine: Engine, pipeline: Pipeline) -> None:
    kb, _ = engine.create("kb")
    long = "".join(chr(0x4E00 + n * 7_919 % 20_011) for n in range(20_000))  # nothing repeats
    pipeline.ingest(kb, Source("a", "a.md", b"Tea.", metadata={"abstract": long}), lambda *_: None)
    for value, count in ((long, 1), (long[:-1], 0), (long[:300], 0), (long + "x", 0)):
        assert engine.documents.count(kb, filters.condition({"abstract": value})) == count
    assert engine.documents.count(kb, filters.condition({"abstract": {"$gt": long[:-1]}})) == 1


def test_characters_are_counted_as_code_points(engine: Engine, pipeline: Pipeline) -> None:
    kb, _ = engine.create("kb")
    pipeline.ingest(kb, Source("a", "a.md", "😀é中 tea".encode()), lambda *_: None)
    with engine.database.read() as connection:
        assert connection.scalar(select(versions.c.characters)) == 7
        assert connection.scalar(select(func.length(stretches.c.text))) == 7
        assert connection.scalar(select(func.substr(stretches.c.text, 3, 3))) == "中 t"


def test_what_is_there_already_stays(database: Database) -> None:
    put(database, "a", value="first")
    with database.write() as connection:
        insert_new(connection, marks, [{"name": name, "value": "second"} for name in "ba"])
        insert_new(connection, marks, [])
    with database.read() as connection:
        rows = connection.execute(select(marks).order_by(marks.c.name)).all()
    assert [(row.name, row.value) for row in rows] == [("a", "first"), ("b", "second")]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a:secret@b/c",
        "mysql+pymysql://a:secret@b/c",
        "postgresql://a@b:secret/c",
        "postgresql://a:b@secret@c/d",
        "postgresql://a:b@secret/c@d/e",
        "://",
    ],
)
def test_another_kind_of_database_is_refused(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="FOOTNOTE_DATABASE_URL") as raised:
        Database(url)
    assert "secret" not in str(raised.value)


def test_a_driver_and_blanks_around_a_url_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.sqlite"
    Database(f" sqlite+pysqlite:///{path}\n").close()
    assert path.exists()


def test_a_number_beyond_the_catalogue_is_refused(database: Database) -> None:
    with pytest.raises((InvalidRequest, OverflowError)), database.read() as connection:
        connection.execute(select(marks).limit(2**70)).all()
