"""The catalogue's database: SQLite beside the data, or any other by URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from retrieval import statistics
from retrieval.errors import StoreUnavailable

_BUSY_SECONDS = 30


class Database:
    """Transactions on the catalogue, migrated to the newest schema when opened."""

    def __init__(self, url: str | URL) -> None:
        """Open the database of a SQLAlchemy URL. Raises StoreUnavailable."""
        self._where = make_url(url).render_as_string()  # without a password
        # What is written stands in no message: those are logged, and told to clients.
        self._engine = create_engine(url, hide_parameters=True)
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _configure_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        try:
            with self._failing(), self._engine.connect() as connection:
                # A table that is made anew is dropped first, and what refers to it would go too.
                _enforce_references(connection, on=False)
                writer = connection.execution_options(writes=True)
                with writer.begin():
                    _migrate(writer)
                    if connection.dialect.name == "sqlite":
                        statistics.write(writer)
                _enforce_references(connection, on=True)
        except CommandError as error:
            raise StoreUnavailable(
                f"The catalogue {self._where} was made by a newer version of Footnote ({error}). "
                f"Install that version, or choose another directory with FOOTNOTE_DATA."
            ) from error

    @classmethod
    def at(cls, path: Path) -> "Database":
        """The SQLite database in this file, made if it isn't there."""
        return cls(URL.create("sqlite", database=str(path)))  # a path may hold "?" and "%"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue from its first statement on.

        Raises StoreUnavailable, as `write` does, when the database fails.
        """
        with self._failing(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or rolled back by an exception."""
        with self._failing(), self._engine.connect() as connection:
            writer = connection.execution_options(writes=True)
            with writer.begin():
                yield writer

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (DataError, IntegrityError, ProgrammingError):
            raise  # what we asked for was wrong, not the database
        except DatabaseError as error:
            raise StoreUnavailable(f"The catalogue {self._where} failed: {error.orig}.") from error


def _enforce_references(connection: Connection, *, on: bool) -> None:
    """Outside a transaction, in which SQLite ignores it."""
    if connection.dialect.name == "sqlite":
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - it is connected
        driver.execute(f"PRAGMA foreign_keys={'ON' if on else 'OFF'}")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _configure_sqlite(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions are ours to begin, see below
    connection.create_function("lower", 1, _lower, deterministic=True)  # its own knows ASCII only
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was acknowledged survives a power cut
        "foreign_keys=ON",
        "secure_delete=ON",  # what was deleted can't be read in the file any more
        f"busy_timeout={_BUSY_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that turns writer halfway fails instead of waiting.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
