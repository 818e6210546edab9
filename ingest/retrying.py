"""Which failures may pass, and how long to wait for that."""

import time

from ingest.errors import SourceNotFound
from retrieval.errors import (
    DataLost,
    ModelServerCrashed,
    ModelServerUnavailable,
    Overloaded,
    StoreUnavailable,
    Superseded,
)

_FIRST, _GROWTH, _LONGEST = 2.0, 4.0, 300.0  # seconds, as in 2, 8, 32, 128, 300, 300 ...


_CRASHES = 3  # after which a text that a model's runner dies of is given up


def may_pass(error: Exception, attempts: int = 1) -> bool:
    """Whether the same work may succeed later: a server is away, a disk is full, a file locked.

    A model's runner that dies again and again may die of the text; bytes that are gone stay so.
    """
    if isinstance(error, ModelServerCrashed):
        return attempts < _CRASHES
    if isinstance(error, DataLost):
        return False
    return isinstance(
        error,
        (ModelServerUnavailable, Overloaded, StoreUnavailable, Superseded, SourceNotFound),
    )


def delay(attempts: int) -> float:
    """Seconds to wait after that many attempts, at least one."""
    return min(_FIRST * _GROWTH ** min(attempts - 1, 10), _LONGEST)


def remaining(retry_at: float | None) -> float:
    """Seconds until a time of `time.time`; no more than anything is put off, if a clock was set."""
    return 0.0 if retry_at is None else min(max(retry_at - time.time(), 0.0), _LONGEST)
