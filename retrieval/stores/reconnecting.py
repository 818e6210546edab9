"""Calls of a server that is away for a moment, as when it is started again.

Each may be repeated: ids are written and deleted whatever there was, and reading changes nothing.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import TypeVar

import httpx

from retrieval.stores.chroma_access import FAILURES
from retrieval.stores.failures import unavailable_if

R = TypeVar("R")

# Seconds from when the server was first found away. A Chroma server is back after 1 or 2; whoever
# comes when it has been away for longer asks once, and isn't kept waiting.
_PATIENCE = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0

_OPENING = "Check that it is running, FOOTNOTE_CHROMA_URL and FOOTNOTE_CHROMA_TOKEN."
_SERVING = (
    "Try again in a moment; Footnote's log says what is wrong. Nothing is lost: what it may lack "
    "is written again from the catalogue when Footnote starts."
)

PASSING = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


class ServerAccess:
    """To a Chroma server at a URL. Any thread may call it. See `Access`.

    Who is `opening` it is told where it is, and what is wrong; later it is clients who are told.
    """

    def __init__(self, url: str, *, opening: bool = False) -> None:
        self._url = url
        self._opening = opening
        self._away_since: float | None = None
        self._lock = threading.Lock()

    def read(self, work: Callable[[], R]) -> R:
        return self._do(work)

    def write(self, work: Callable[[], R]) -> R:
        return self._do(work)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _do(self, work: Callable[[], R]) -> R:
        pause = _FIRST_PAUSE
        with self._failing():
            while True:
                began = time.monotonic()
                try:
                    done = work()
                except httpx.HTTPError as error:
                    if not _may_pass(error) or self._is_over(began, pause):
                        raise
                else:
                    self._is_back()
                    return done
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)

    def _failing(self) -> AbstractContextManager[None]:
        if self._opening:
            return unavailable_if(f"The Chroma server at {self._url}", _OPENING, *FAILURES)
        return unavailable_if("The Chroma server", _SERVING, *FAILURES, untold=self._url)

    def _is_over(self, began: float, pause: float) -> bool:
        """Whether the server, which a call that began then didn't find, is away for too long."""
        with self._lock:
            if self._away_since is None:
                self._away_since = began
            return time.monotonic() + pause > self._away_since + _PATIENCE

    def _is_back(self) -> None:
        with self._lock:
            self._away_since = None


def _may_pass(error: httpx.HTTPError) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in PASSING
    return isinstance(error, httpx.TransportError)
