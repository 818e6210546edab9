"""A Postgres server that hangs, told from one that takes long.

One that was stopped, or waits for its disk, still acknowledges what is sent to it: no timeout of
the network ends then, nor one of the server's. A statement, however, may rightly take minutes. So
who has heard nothing for a while asks the server something easy, by a connection of its own, and
what comes of that holds for all who wait.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from psycopg import Connection, Error
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout

_PATIENCE = 2.0  # seconds without a byte, until the server is asked whether it is there
_ANSWER = 3  # seconds that it may take to say so
_FRESH = 3.0  # seconds for which that is taken for true

T = TypeVar("T")


class Hangs(ConnectionTimeout):
    """The server doesn't answer."""

    def __init__(self) -> None:
        super().__init__("the server doesn't answer")


class Server:
    """Connects to a server, and ends every wait for it while it hangs. Any thread may call it."""

    def __init__(self) -> None:
        self._asking = threading.Lock()  # one asks, the others wait for what comes of it
        self._asked, self._hangs = -math.inf, False

    def connect(self, *where: Any, **how: Any) -> "Connection[Any]":
        """A connection as psycopg makes it. Raises what psycopg does, at once where the server is
        known to hang.
        """

        def check() -> None:
            self._check(lambda: _answers(*where, **how))

        if self._hangs:
            check()
        try:
            connection = _Listening.connect(*where, **how)
        except ConnectionTimeout:
            self._asked, self._hangs = time.monotonic(), True
            raise
        connection.unheard = lambda seconds: check() if seconds >= _PATIENCE else None
        return connection

    def _check(self, answers: Callable[[], bool]) -> None:
        """Raises Hangs."""
        with self._asking:
            if time.monotonic() - self._asked >= _FRESH:
                self._hangs = not answers()
                self._asked = time.monotonic()
            if self._hangs:
                raise Hangs


def _answers(*where: Any, **how: Any) -> bool:
    """Whether the server says anything, be it no: one that is gone has closed its connections."""
    try:
        with _Listening.connect(*where, **how | {"connect_timeout": _ANSWER}) as connection:
            connection.unheard = _no_longer
            connection.execute("SELECT 1")
    except ConnectionTimeout:
        return False
    except Error:
        return True
    return True


def _no_longer(seconds: float) -> None:
    if seconds >= _ANSWER:
        raise Hangs


class _Listening(Connection[Any]):
    """One that tells, while it waits, for how many seconds nothing has come: `unheard` raises Hangs
    where the wait is to end, and the connection with it.
    """

    unheard: Callable[[float], None]

    def wait(self, gen: PQGen[T], *how: Any, **more: Any) -> T:
        try:
            return super().wait(_listening(gen, self.unheard), *how, **more)
        except Hangs:
            self.close()
            raise


def _listening(gen: PQGen[T], unheard: Callable[[float], None]) -> PQGen[T]:
    """The same steps of psycopg's, which are also taken while nothing comes, ten times a second."""
    heard = time.monotonic()
    try:
        awaited = next(gen)
        while True:
            if ready := (yield awaited):
                heard = time.monotonic()
            else:
                unheard(time.monotonic() - heard)
            awaited = gen.send(ready)
    except StopIteration as ended:
        result: T = ended.value
        return result
