"""What the catalogue asks of a kind of database."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine

BUSY_SECONDS = 30
"""How long a writer waits for another."""


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

    def migrating(self, connection: Connection) -> AbstractContextManager[None]:
        """Around the transaction that brings the schema up to date."""

    def migrated(self, connection: Connection) -> None:
        """The end of that transaction."""

    def hold(
        self, connection: Connection, names: Iterable[str], seconds: int
    ) -> AbstractContextManager[None]:
        """No other process holds one of these names meanwhile, or the connection is lost. For each
        it is waited that long.
        """

    def faults(self, connection: Connection) -> list[str]:
        """What is damaged in the database, as far as it can tell."""

    def size(self, connection: Connection) -> int:
        """Bytes that it takes."""
