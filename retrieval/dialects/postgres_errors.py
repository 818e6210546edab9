"""What errors of a Postgres server mean, to clients and to who runs it.

An established connection tells an error by its SQLSTATE; one that comes to nothing by words alone.
"""

import re

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError

from retrieval.dialects.dialect import BEYOND
from retrieval.errors import InvalidRequest, RetrievalError, StillHeld, StoreUnavailable

_FULL = "53300"
_HELD = "55P03"
_TOO_LONG = "54000"  # a text that an index has no room for
_TOLD = {
    _FULL: (
        "The catalogue's database takes no more connections. Try again in a moment; or let each "
        "process open fewer, by FOOTNOTE_DATABASE_CONNECTIONS, or raise the server's "
        "max_connections."
    ),
    "42501": (
        "The catalogue's database doesn't let its user do this: {}. Grant that right to the user "
        "that FOOTNOTE_DATABASE_URL names."
    ),
}
_TOLD |= dict.fromkeys(
    ("42P01", "42703"),
    "The catalogue has another schema than this process knows: {}. Another version of Footnote "
    "changed it: restart this process with the newest one.",
)
_UNOPENED = {
    "55P03": (
        "another process keeps it busy, which perhaps migrates it to the schema of a newer "
        "version. Start this one again when that is done."
    ),
    _FULL: _TOLD[_FULL],
}
_TOLD |= dict.fromkeys(
    ("57P05", "25P03"),  # idle too long, outside a transaction and in one
    "This process did nothing for a while, and lost what it held in the catalogue. Try again.",
)
_SAYS_FULL = re.compile(r"too many (clients|connections)|connection slots|no more connections")
_HINT = "\t"  # with which libpq begins lines that only ask whether the server runs


def failure(error: DatabaseError) -> RetrievalError | None:
    """See `Dialect`."""
    state = _state(error)
    if state == _HELD:
        return StillHeld(
            "The catalogue is too busy: another process writes to it. Try again in a moment."
        )
    if state in _TOLD:
        return StoreUnavailable(_TOLD[state].format(reason(error)))
    if isinstance(error, DataError):
        return InvalidRequest(BEYOND)
    if isinstance(error, IntegrityError | ProgrammingError):
        return None
    if state == _TOO_LONG:
        return InvalidRequest(f"The catalogue can't hold this: {reason(error)}.")
    if state is None:  # it may quote addresses
        return StoreUnavailable("The catalogue's database can't be reached. Try again in a moment.")
    return StoreUnavailable(f"The catalogue failed: {reason(error)}.")


def reason(error: DatabaseError) -> str:
    """See `Dialect`. Without the statement, and the place in it."""
    told = getattr(error.orig, "diag", None)
    said = (told and told.message_primary) or str(error.orig)
    lines = [line.strip() for line in said.splitlines() if not line.startswith(_HINT)]
    return "; ".join(filter(None, lines)).rstrip(".;")


def unopened(error: DatabaseError) -> str:
    """See `Dialect`."""
    asked = f"{reason(error)}. Check FOOTNOTE_DATABASE_URL, and that its server runs."
    return _UNOPENED.get(_state(error) or "", asked)


def is_full(error: DatabaseError) -> bool:
    """Whether the server has as many connections as it takes."""
    return _state(error) == _FULL


def _state(error: DatabaseError) -> str | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None and _SAYS_FULL.search(str(error.orig)):
        return _FULL
    return state
