"""Who changed what, and who was refused: a row each, without any content."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, delete, select

from retrieval.database import Database
from retrieval.printing import escaped
from retrieval.schema import audit

KEPT = 100_000  # entries; strangers who are refused can't fill the disk
_TIDY = 100  # entries between two looks at how many there are
_LONGEST = 200  # characters of a name that a stranger may have made up


@dataclass(frozen=True, slots=True)
class Entry:
    """A call: who made it, on what, and how it ended. `at` is a time of `time.time`."""

    key_id: str
    method: str
    route: str
    status: int
    knowledge_base: str = ""
    subject: str = ""
    request_id: str = ""
    at: float = field(default_factory=time.time)


class AuditLog:
    """Keeps the newest entries. Any thread, and any process, may add to it."""

    def __init__(self, database: Database, kept: int = KEPT) -> None:
        self._database = database
        self._kept = kept

    def add(self, entry: Entry) -> None:
        values = asdict(entry)
        for name in ("method", "route", "knowledge_base", "subject", "request_id"):
            values[name] = escaped(values[name])[:_LONGEST]
        with self._database.write() as connection:
            number = connection.scalar(audit.insert().values(values).returning(audit.c.id)) or 0
            if number % _TIDY == 0:
                self._tidy(connection, number)

    def newest(self, limit: int, key_id: str | None = None) -> Sequence[Entry]:
        """The newest entries, of one key if that is given, the last one first."""
        query = select(*(audit.c[name] for name in Entry.__dataclass_fields__))
        query = query.order_by(audit.c.id.desc()).limit(limit)
        if key_id is not None:
            query = query.where(audit.c.key_id == key_id)
        with self._database.read() as connection:
            return [Entry(**row._mapping) for row in connection.execute(query)]

    def _tidy(self, connection: Connection, newest: int) -> None:
        connection.execute(delete(audit).where(audit.c.id <= newest - self._kept))
