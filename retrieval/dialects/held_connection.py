"""Names that a session of a server holds, as long as it speaks.

A server can't tell a process that was stopped from one that is at work: the system of its machine
answers for it. So it ends a session that holds names and says nothing for a while, and whoever is
at work says something again and again.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from retrieval.errors import StoreUnavailable
from retrieval.lease import BEATS, Heart, Lost

_LOST = "The connection to the catalogue was lost meanwhile, and what it held. Try again."


class HeldConnection:
    """A connection whose session holds names. Threads take turns on it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._turn = threading.RLock()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes. Raises StoreUnavailable where the names were lost before."""
        with self._begun(writes=True):
            yield self._connection

    def speak(self) -> None:
        """Outside transactions of one's own. Raises StoreUnavailable where the names are lost."""
        try:
            with self._begun(writes=False):  # which says how long it may be silent
                pass
        except DatabaseError as error:
            raise StoreUnavailable(_LOST) from error

    @contextmanager
    def speaking(self, silence: float) -> Iterator[None]:
        """Be silent for so many seconds at no time while the block lasts."""
        heart = Heart("names", silence / BEATS, self._speak_on)
        heart.start()
        try:
            yield
        finally:
            heart.stop()

    def _speak_on(self) -> None:
        try:
            self.speak()
        except StoreUnavailable as error:
            if self._connection.invalidated:
                raise Lost(error) from error
            raise

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[None]:
        with self._turn:
            if self._connection.invalidated:  # it would connect anew, where nothing is held
                raise StoreUnavailable(_LOST)
            with self._connection.execution_options(writes=writes).begin():
                yield
