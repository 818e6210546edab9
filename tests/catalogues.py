"""Where the catalogues of tests are kept: beside the data, or on the server of `tests.postgres`.

There a data directory has a database of its own, for as long as the test runs that made it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url

import retrieval
from retrieval.database import Database
from retrieval.settings import EngineSettings
from tests.postgres import VARIABLE
from tests.shared_stores import blobs_of, chroma_of

SERVER = os.environ.get(VARIABLE, "")

on_sqlite = pytest.mark.skipif(bool(SERVER), reason="of catalogues in SQLite")
on_postgres = pytest.mark.skipif(not SERVER, reason="of catalogues in Postgres")

MIGRATIONS = Path(retrieval.__file__).parent / "migrations"

_FILE = "catalogue.sqlite"

_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND pid <> pg_backend_pid() AND database = ("  # tests share the server
    "SELECT oid FROM pg_database WHERE datname = current_database())"
)

_template = ""
_made: dict[Path, str] = {}  # databases by the directories that they belong to
_opened: list[Database] = []


def engine_settings(data: Path, **more: Any) -> EngineSettings:
    """Those of an engine over a directory, by default with the hashing embedder."""
    settings = EngineSettings(
        data,
        database_url=url_of(data),
        embedding_model="hashing",
        chroma=chroma_of(data),
        blobs_url=blobs_of(data),
    )
    return replace(settings, **more)


def catalogue_in(directory: Path) -> Database:
    """The catalogue that belongs to a directory, without anything else."""
    url = url_of(directory)
    database = Database(url) if url else Database.at(directory / _FILE)
    _opened.append(database)
    return database


def copy_catalogue(source: Path, to: Path) -> None:
    """Let a directory have the catalogue of another, as it is while nobody has either open."""
    if SERVER:
        if to in _made:
            _drop(_made.pop(to))
        _made[to] = _create(_made[source])
    else:
        to.mkdir(exist_ok=True)
        shutil.copyfile(source / _FILE, to / _FILE)


def at_revision(directory: Path, revision: str) -> Engine:
    """A connection to an empty catalogue of a directory, as it was made then."""
    if SERVER:
        _made[directory] = _create("template0")
    made = create_engine(_driven(url_of(directory)) or f"sqlite:///{directory / _FILE}")
    with made.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        command.upgrade(config, revision)
    return made


def url_of(directory: Path) -> str:
    """The database of a directory, made if there is none yet; empty for SQLite."""
    if not SERVER:
        return ""
    if directory not in _made:
        _made[directory] = _create(_migrated())
    return _at(_made[directory])


def end_sessions(database: Database) -> None:
    """Let everybody lose what they hold in this catalogue, as when its server starts again."""
    with database.glance() as connection:
        connection.execute(_END)


@contextmanager
def dropping() -> Iterator[None]:
    """What is made in the block is gone after it, and closed what is opened there by itself."""
    before = {*_made}
    yield
    while _opened:
        _opened.pop().close()
    for directory in _made.keys() - before:
        _drop(_made.pop(directory))


def drop_template() -> None:
    global _template
    if _template:
        _drop(_template)
        _template = ""


def _migrated() -> str:
    """A database to copy, which nobody is connected to."""
    global _template
    if not _template:
        _template = _create("template0")
        Database(_at(_template)).close()
    return _template


def _create(template: str) -> str:
    name = f"footnote_{uuid4().hex}"
    with _server() as server, server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    return name


def _drop(name: str) -> None:
    with _server() as server, server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _server() -> Iterator[Engine]:
    engine = create_engine(_driven(SERVER), isolation_level="AUTOCOMMIT")
    try:
        yield engine
    finally:
        engine.dispose()


def _driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://")


def _at(name: str) -> str:
    return make_url(SERVER).set(database=name).render_as_string(hide_password=False)
