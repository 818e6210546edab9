"""The catalogue's database: SQLite beside the data, or Postgres by URL."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.exc import TimeoutError as NoneFree

from retrieval.dialects.dialect import BUSY_SECONDS, Dialect
from retrieval.dialects.held_connection import HeldConnection
from retrieval.dialects.postgres import Postgres
from retrieval.dialects.sqlite import Sqlite
from retrieval.errors import StoreUnavailable

_log = structlog.get_logger()

_KINDS = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}

CONNECTIONS = 15
"""That a process opens to a server at most, unless told otherwise."""


class Database:
    """Transactions on the catalogue, migrated to the newest schema when opened."""

    def __init__(self, url: str | URL, connections: int = CONNECTIONS) -> None:
        """Open the database of a URL, `sqlite` or `postgresql`, by so many connections at most
        where it is a server's. Raises StoreUnavailable.
        """
        parsed = _parsed(url)
        self._where = parsed.set(query={}).render_as_string()  # where a password may stand, too
        is_file = parsed.drivername == "sqlite"
        self._dialect: Dialect = Sqlite() if is_file else Postgres(connections)
        self._engine = self._dialect.engine(parsed)
        self._readers = self._engine.execution_options(**self._dialect.reading)
        self._writers = self._engine.execution_options(**self._dialect.writing)
        self._glances = self._engine.execution_options(**self._dialect.glancing)
        self._asides = self._engine.execution_options(**self._dialect.beside)
        self._held: HeldConnection | None = None
        with ExitStack() as unopened:
            unopened.callback(self.close)
            self._open()
            unopened.pop_all()

    @classmethod
    def at(cls, path: Path) -> "Database":
        """The SQLite database in this file, made if it isn't there."""
        return cls(URL.create("sqlite", database=str(path)))  # a path may hold "?" and "%"

    @property
    def shared(self) -> bool:
        """Whether other processes may be writing to the catalogue, too."""
        return self._dialect.shared

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the catalogue from its first statement on.

        Raises StoreUnavailable, as `write` does, when the database fails, and InvalidRequest for
        what it can't hold.
        """
        with self._connected(self._readers) as connection, connection.begin():
            yield connection

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Statements that only read, of which each sees a state of the catalogue of its own: a
        server needn't be told of the beginning and the end of a transaction.
        """
        with self._connected(self._glances) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is committed at the end, or rolled back by an exception.

        It sees what was written before it began, and nobody else writes before it ends.
        """
        if self._held is None:
            with self._connected(self._writers) as connection, connection.begin():
                yield connection
        else:
            with self._failing(), self._held.write() as connection:
                yield connection

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """A transaction that writes while others do, for tables that are no part of what `write`
        checks: whoever uses it locks the rows that it depends on. It sees what is committed.
        """
        with self._connected(self._asides) as connection, connection.begin():
            yield connection

    @contextmanager
    def hold(self, names: Iterable[str], *, seconds: int = BUSY_SECONDS) -> Iterator["Database"]:
        """The catalogue, while nobody else, in any process, holds one of these names, for each of
        which it is waited that long. What is written by way of it is written only as long as they
        are held.

        Raises StoreUnavailable.
        """
        with self._failing(), self._dialect.hold(self._engine, names, seconds) as connection:
            held = copy.copy(self)
            held._held = connection
            yield held

    def still_held(self) -> None:
        """Return if what this holds wasn't lost so far, for what is done elsewhere than in the
        catalogue. Raises StoreUnavailable.

        What is under way elsewhere when it is lost nothing stops: such a deletion may take out what
        the next one who holds it has written since, which the next start finds and writes again.
        """
        if self._held is not None:
            self._held.speak()

    def wait(self, names: Iterable[str], *, seconds: int = BUSY_SECONDS) -> None:
        """Return when all who hold one of these names now have let go of it: whoever holds it later
        sees what was written before. For each it is waited that long. Raises StoreUnavailable, and
        StillHeld where that was too short.
        """
        with self._failing():
            self._dialect.wait(self._glances, names, seconds)

    def faults(self) -> list[str]:
        """What is damaged in the database, as far as it can tell. Raises StoreUnavailable."""
        with self.read() as connection:
            return self._dialect.faults(connection)

    def size(self) -> int:
        """Bytes that it takes. Raises StoreUnavailable."""
        with self.read() as connection:
            return self._dialect.size(connection)

    def close(self) -> None:
        self._engine.dispose()

    def _open(self) -> None:
        try:
            if self.shared and self._is_current():
                return  # waiting for no writer, of whom there may be many
            with (
                self._dialect.connect(self._writers) as connection,
                self._dialect.migrating(connection),
            ):
                _migrate(connection)
        except CommandError as error:
            raise StoreUnavailable(
                f"The catalogue {self._where} was made by a newer version of Footnote ({error}). "
                f"Install that version, or choose another catalogue with FOOTNOTE_DATA or "
                f"FOOTNOTE_DATABASE_URL."
            ) from error
        except DatabaseError as error:
            raise StoreUnavailable(
                f"The catalogue {self._where} can't be opened: {self._dialect.unopened(error)}"
            ) from error

    def _is_current(self) -> bool:
        with self._dialect.connect(self._readers) as connection:
            found = MigrationContext.configure(connection).get_current_revision()
        return found == ScriptDirectory.from_config(_config()).get_current_head()

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        with self._failing(), self._dialect.connect(engine) as connection:
            yield connection

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except NoneFree as error:
            raise StoreUnavailable("The catalogue is too busy. Try again in a moment.") from error
        except DatabaseError as error:
            if (failure := self._dialect.failure(error)) is None:
                raise
            if isinstance(failure, StoreUnavailable):  # clients aren't told where it is
                reason = self._dialect.reason(error)
                _log.warning("catalogue_failed", catalogue=self._where, error=reason)
            raise failure from error


def _parsed(url: str | URL) -> URL:
    if isinstance(url, str):
        url = url.strip()
        if url.partition("?")[0].count("@") > 1:  # what follows the first would be told as a host
            raise StoreUnavailable(
                "FOOTNOTE_DATABASE_URL has more than one @: write one in a password as %40."
            )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose words may hold the password
        raise StoreUnavailable("FOOTNOTE_DATABASE_URL is no URL of a database.") from None
    kind, _, _driver = parsed.drivername.partition("+")  # the driver is ours to choose
    if kind not in _KINDS:
        raise StoreUnavailable(
            f"FOOTNOTE_DATABASE_URL names {kind!r}; a catalogue is kept by Postgres, "
            f"postgresql://USER:PASSWORD@HOST/DATABASE."
        )
    return parsed.set(drivername=_KINDS[kind])


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _migrate(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
