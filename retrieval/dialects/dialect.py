"""What the catalogue asks of a kind of database."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError

from retrieval.dialects.held_connection import HeldConnection
from retrieval.errors import RetrievalError

BUSY_SECONDS = 30
"""How long a writer waits for another."""


BEYOND = "A number or a text in the request is beyond what the catalogue can hold."


class Dialect(Protocol):
    """SQLite or Postgres.

    `shared`: other processes may have the same catalogue open, and write to it. The others are
    execution options of connections. `reading`: of one that sees one state of the catalogue from
    its first statement on; `glancing`: of one whose statements each see a state of their own;
    `writing`: of one that is alone among those that write from its beginning to its end; `beside`:
    of one that writes while others do, where there are others.
    """

    @property
    def shared(self) -> bool: ...

    @property
    def glancing(self) -> Mapping[str, Any]: ...

    @property
    def reading(self) -> Mapping[str, Any]: ...

    @property
    def writing(self) -> Mapping[str, Any]: ...

    @property
    def beside(self) -> Mapping[str, Any]: ...

    def engine(self, url: URL) -> Engine:
        """Connects to the database, and begins its transactions. Raises StoreUnavailable."""

    def connect(self, engine: Engine) -> Connection:
        """A connection, waited for as long as for a writer where all that there may be are in use.

        Raises SQLAlchemy's errors, as whatever is done by it.
        """

    def failure(self, error: DatabaseError) -> RetrievalError | None:
        """What to tell of an error; None where what we asked for was wrong, not the database.

        It is told to clients, and names neither the server nor a user.
        """

    def reason(self, error: DatabaseError) -> str:
        """What the database says of an error, in one line without a full stop, for who runs it."""

    def unopened(self, error: DatabaseError) -> str:
        """Why a catalogue can't be opened, and what to do, in sentences for who runs it."""

    def migrating(self, connection: Connection) -> AbstractContextManager[None]:
        """The transaction that brings the schema up to date. Another process that is at it is
        waited for.
        """

    def hold(
        self, engine: Engine, names: Iterable[str], seconds: int
    ) -> AbstractContextManager[HeldConnection | None]:
        """Nobody else holds one of these names meanwhile, or the connection is lost that is given,
        where other processes hold names, too. For each it is waited that long. However long the
        block takes, a process that is at work loses none; one that was stopped does in a minute.
        """

    def wait(self, engine: Engine, names: Iterable[str], seconds: int) -> None:
        """Return when each of these names was free, or let go of, for each of which it is waited
        that long.
        """

    def faults(self, connection: Connection) -> list[str]:
        """What is damaged in the database, as far as it can tell."""

    def size(self, connection: Connection) -> int:
        """Bytes that it takes."""
