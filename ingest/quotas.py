"""How many documents the holder of a key may have in its knowledge bases."""

from collections.abc import Set

from sqlalchemy import Connection, func, select, union

from retrieval import access
from retrieval.errors import QuotaExceeded
from retrieval.schema import UNFINISHED, documents, jobs


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
