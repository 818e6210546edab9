"""A catalogue of every schema there ever was, with data in it, becomes one that answers."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

import retrieval
from ingest.parsing import InProcessParser
from ingest.pipeline import Pipeline
from ingest.types import ParseLimits, Source
from retrieval.answering import Question
from retrieval.embedding.hashing import HashingBackend
from retrieval.engine import Engine, open_engine
from retrieval.inspection import Inspection
from retrieval.settings import EngineSettings
from retrieval.types import Answer

_CONFIG = Config()
_CONFIG.set_main_option("script_location", str(Path(retrieval.__file__).parent / "migrations"))
_CONFIG.set_main_option("path_separator", "os")
REVISIONS = sorted(one.revision for one in ScriptDirectory.from_config(_CONFIG).walk_revisions())

TEXT = "# Tea\n\nTea is at four in the afternoon.\n\n# Coffee\n\nCoffee is at nine in the morning."
QUESTION = Question("When is the tea in the afternoon?")


def _filled(data: Path) -> Answer:
    settings = EngineSettings(data=data, embedding_model="hashing")
    with open_engine(settings, HashingBackend()) as engine:
        kb, _ = engine.create("kb")
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
        for name in ("tea.md", "other.md"):
            text = TEXT if name == "tea.md" else "# Cake\n\nCake is at five."
            source = Source(uri=name, name=name, data=text.encode(), metadata={"year": 2026})
            pipeline.ingest(kb, source, lambda *_: None)
        return _asked(engine)


def _asked(engine: Engine) -> Answer:
    return engine.answering.ask(engine.open("kb"), QUESTION)


def _at_revision(path: Path, revision: str) -> None:
    """An empty catalogue as it was made then."""
    made = sqlalchemy.create_engine(f"sqlite:///{path}")
    with made.begin() as connection:
        config = Config(attributes={"connection": connection})
        for option in ("script_location", "path_separator"):
            config.set_main_option(option, _CONFIG.get_main_option(option) or "")
        command.upgrade(config, revision)
    made.dispose()


def _copy(source: Path, to: Path) -> None:
    """The rows of all tables that both have, as far as they have the same columns."""
    with closing(sqlite3.connect(to)) as connection, connection:
        connection.execute("ATTACH ? AS newer", (str(source),))

        def columns(schema: str, table: str) -> list[str]:
            return [row[1] for row in connection.execute(f'PRAGMA {schema}.table_info("{table}")')]

        tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table'"
        for (table,) in connection.execute(tables).fetchall():
            if table.startswith(("alembic", "sqlite")):
                continue
            newer = columns("newer", table)
            shared = ", ".join(f'"{name}"' for name in columns("main", table) if name in newer)
            connection.execute(
                f'INSERT INTO main."{table}" ({shared}) SELECT {shared} FROM newer."{table}"'  # noqa: S608
            )


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_catalogue_of_each_schema_answers(tmp_path: Path, revision: str) -> None:
    before = _filled(tmp_path / "new")
    assert before.citations
    (tmp_path / "old").mkdir()
    _at_revision(tmp_path / "old" / "catalogue.sqlite", revision)
    _copy(tmp_path / "new" / "catalogue.sqlite", tmp_path / "old" / "catalogue.sqlite")
    (tmp_path / "new" / "blobs").rename(tmp_path / "old" / "blobs")
    settings = EngineSettings(data=tmp_path / "old", embedding_model="hashing")
    with open_engine(settings, HashingBackend()) as engine:
        found = Inspection(engine.database, engine.stores, engine.blobs).inspect(repair=False)
        assert [finding for finding in found if not finding.ok] == []
        after = _asked(engine)
        assert after.citations == before.citations
        assert [(hit.chunk, hit.score) for hit in after.hits] == [
            (hit.chunk, hit.score) for hit in before.hits
        ]
        pipeline = Pipeline(engine, InProcessParser(ParseLimits()), 1_000_000)
        source = Source(uri="tea.md", name="tea.md", data=b"Tea is at six.")
        pipeline.ingest(engine.open("kb"), source, lambda *_: None)
        assert "six" in _asked(engine).text


def test_the_first_schema_is_among_them() -> None:
    assert REVISIONS[0] == "0001"
    assert len(REVISIONS) >= 8
