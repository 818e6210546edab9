"""One error for whatever a store's library may raise."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from retrieval.errors import StoreUnavailable

_log = structlog.get_logger()


@contextmanager
def unavailable_if(
    store: str, advice: str, *kinds: type[Exception], untold: str = ""
) -> Iterator[None]:
    """Raises StoreUnavailable where the block raises one of `kinds`, or where Rust panics.

    What is `untold`, as where a server is, isn't told to clients, nor what went wrong there, which
    may quote it: both stand in the log.

    A panic in a PyO3 library arrives as a BaseException of a class that can't be imported; it
    happens on damaged files (seen with a zeroed tantivy `.idx`), so it must not end the server.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, kinds) and type(error).__name__ != "PanicException":
            raise
        reason = (str(error) or type(error).__name__).rstrip(".")
        if untold:
            _log.warning("store_failed", store=untold, error=reason)
            raise StoreUnavailable(f"{store} failed. {advice}") from error
        raise StoreUnavailable(f"{store} failed: {reason}. {advice}") from error
