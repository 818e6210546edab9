"""How often something is done in all processes that share a catalogue in Postgres.

A row a name holds how often it was done in each of the last seconds. One statement ages the
counts, sees whether there is room, and counts one more: whoever comes at the same moment waits for
the row, never for those who write documents.
"""

from collections.abc import Sequence
from itertools import count

from sqlalchemy import delete, text

from retrieval.database import Database
from retrieval.schema import rates

_SECONDS = 61  # 60 whole ones and the one that has begun: no minute is left out
_TIDY = 1_000  # uses between two looks for names that weren't used for a minute

_NOW = "floor(extract(epoch FROM clock_timestamp()))::bigint"


def _aged(now: str) -> str:
    """The counts of the last seconds, the newest first. A clock that was set back ages nothing."""
    passed = f"least(greatest({now} - known.second, 0), {_SECONDS})::int"
    return f"(array_fill(0, ARRAY[{passed}]) || known.counts)[1:{_SECONDS}]"


_TAKE = f"""
    INSERT INTO rates AS known (name, second, counts) VALUES (:name, {_NOW}, ARRAY[1])
    ON CONFLICT (name) DO UPDATE SET (second, counts) = (
        SELECT now, (aged[1] + 1) || aged[2:{_SECONDS}]
        FROM (SELECT {_NOW} AS now) AS clock, LATERAL (SELECT {_aged("now")} AS aged) AS counted
    )
    WHERE (SELECT sum(each) FROM unnest({_aged(_NOW)}) AS each) < :rate
    RETURNING name
"""  # noqa: S608 - of constants alone
_COUNTS = f"SELECT {_aged(_NOW)} FROM rates AS known WHERE name = :name"  # noqa: S608
_LONG_AGO = rates.c.second < text(f"{_NOW} - {_SECONDS}")


class SharedRates:
    """Counts what was done in the last minute. Any thread, and any process, may call it."""

    def __init__(self, database: Database) -> None:
        """`database`: one that is shared, as only those of Postgres are."""
        self._database = database
        self._uses = count(1)

    def take(self, name: str, rate: int) -> float:
        """Count one more, if it is no more than `rate` in a minute; else the seconds until then.

        Raises StoreUnavailable.
        """
        with self._database.beside() as connection:
            if next(self._uses) % _TIDY == 0:
                connection.execute(delete(rates).where(_LONG_AGO))
            if connection.execute(text(_TAKE), {"name": name, "rate": rate}).first():
                return 0.0
            return float(_wait(connection.scalar(text(_COUNTS), {"name": name}) or (), rate))


def _wait(counts: Sequence[int], rate: int) -> int:
    """Seconds until fewer than `rate` are left of the counts of the last seconds, newest first."""
    return next(
        (wait for wait in range(1, _SECONDS) if sum(counts[: _SECONDS - wait]) < rate), _SECONDS
    )
