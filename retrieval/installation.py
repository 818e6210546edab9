"""Whose a database of a Chroma server is, or a place in an object store.

What the catalogue doesn't know is deleted there, so two catalogues in one place would delete each
other's vectors and originals. A catalogue has an id, which is noted where its data is kept.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Protocol

from sqlalchemy import select

from retrieval.database import Database
from retrieval.errors import StoreUnavailable
from retrieval.schema import marks
from retrieval.sql import insert_new

MARK = "installation"

_TOLD = 3  # of the things that are somebody else's


class Claimable(Protocol):
    """A place that others might use, too. Both raise StoreUnavailable."""

    def owner(self) -> str | None:
        """The installation that it belongs to, if one has claimed it."""

    def claim(self, installation: str) -> str:
        """Note whose it is, unless that is noted; whose it is then."""


def claim(
    database: Database,
    place: Claimable,
    strays: Callable[[], Iterable[str]],
    what: str,
    setting: str,
) -> None:
    """Make sure that a place is this catalogue's alone.

    `strays` are those things in it that the catalogue doesn't know; `what` it is, which this
    `setting` names. Raises StoreUnavailable.
    """
    ours, owner = installation(database), place.owner()
    if owner is None:
        if strange := sorted(strays()):
            more = " ..." if strange[_TOLD:] else ""
            raise StoreUnavailable(
                f"The {what} holds what isn't in this catalogue, and would be deleted: "
                f"{', '.join(strange[:_TOLD])}{more}. Name an empty one by {setting}, or remove it."
            )
        owner = place.claim(ours)
    if owner != ours:
        raise StoreUnavailable(
            f"The {what} belongs to another installation ({owner}, not {ours}), or to this one "
            f"before it was restored. Two would delete each other's data: name another by "
            f"{setting}."
        )


def installation(database: Database) -> str:
    """The id of a catalogue, made when it is first asked for. Raises StoreUnavailable."""
    mine = select(marks.c.value).where(marks.c.name == MARK)
    with database.read() as connection:  # a start waits for no writer, of whom there may be many
        found: str | None = connection.scalar(mine)
    if found is None:
        with database.write() as connection:
            insert_new(connection, marks, [{"name": MARK, "value": uuid.uuid4().hex}])
            found = connection.scalars(mine).one()
    return found
