"""How many documents may be on their way in, and how many the holder of a key may have."""

from collections.abc import Set

from sqlalchemy import Connection, func, select, union

from retrieval import access
from retrieval.errors import Overloaded, QuotaExceeded
from retrieval.schema import UNFINISHED, documents, jobs

MAX_WAITING = 10_000


def check_queue(connection: Connection, coming: int) -> None:
    """Raises Overloaded where more documents would wait than may. What waits for the knowledge
    bases of a key that isn't for all of them leaves as much room for the others.
    """
    if not coming:
        return
    waiting = select(func.count()).select_from(jobs).where(jobs.c.state.in_(UNFINISHED))
    after = (connection.scalar(waiting) or 0) + coming
    principal = access.asking()
    if principal is not None and not principal.sees_all:
        mine = waiting.where(access.restricted(jobs.c.kb_id))
        after += (connection.scalar(mine) or 0) + coming
    if after > MAX_WAITING:
        raise Overloaded(
            f"With these, more documents would wait to be ingested than the {MAX_WAITING:,} that "
            f"may, or than may be of one key. Try again later."
        )


def check(connection: Connection, coming: Set[str]) -> None:
    """Raises QuotaExceeded where documents with these ids would be more than who asks may add.

    What is there and what is on its way count, each document once; a new version of one doesn't.
    In the transaction that accepts them, so that no two requests take the same place.
    """
    principal = access.asking()
    if principal is None or principal.max_documents is None:
        return
    live = documents.c.live_version.is_not(None)
    known = union(
        select(documents.c.id).where(live, access.restricted(documents.c.kb_id)),
        select(jobs.c.document_id).where(
            jobs.c.state.in_(UNFINISHED), access.restricted(jobs.c.kb_id)
        ),
    ).subquery()
    there = connection.scalar(select(func.count()).select_from(known)) or 0
    new = coming - set(connection.scalars(select(known.c.id).where(known.c.id.in_(coming))))
    if new and there + len(new) > principal.max_documents:
        raise QuotaExceeded(principal.max_documents, there)
