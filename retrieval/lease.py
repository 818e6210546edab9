"""Leases: of several processes one is at something, as long as it lives.

Who is at it has a lease on its row, in the columns `lease` and `lease_until`, and prolongs it. That
of a process that is gone is anybody's once it ends, by the clock of the database, which all of them
share.
"""

import threading
import uuid
from collections.abc import Callable
from typing import TypeAlias

import structlog

from retrieval.errors import RetrievalError

_log = structlog.get_logger()

LASTS = 45.0
"""Seconds that a lease does which isn't prolonged."""

BEATS = 4
"""Times that it is prolonged while it would last."""

Lease: TypeAlias = str


def new_lease() -> Lease:
    return uuid.uuid4().hex


class Lost(Exception):
    """What was to be prolonged is gone for good."""


class Heart:
    """A thread that prolongs leases, or whatever else ends by itself, again and again, until it is
    stopped or all of that is lost.
    """

    def __init__(self, what: str, apart: float, prolong: Callable[[], None]) -> None:
        """`apart`: seconds between two beats; `prolong` raises Lost where there is nothing left to
        prolong; `what` has it, for the log.
        """
        self._what, self._apart, self._prolong = what, apart, prolong
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"{what}-heart", daemon=True)

    def start(self) -> None:
        """Beat, if it doesn't."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Beat no more, once a beat under way is over."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._apart):
            try:
                self._prolong()
            except Lost as error:
                _log.warning("not_prolonged", of=self._what, error=str(error))
                return
            except RetrievalError as error:
                _log.warning("not_prolonged", of=self._what, error=str(error))
            except Exception:  # noqa: BLE001 - without a heart all would be lost
                _log.exception("not_prolonged", of=self._what)
