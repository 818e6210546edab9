"""One error for whatever a store's library may raise."""

from collections.abc import Iterator
from contextlib import contextmanager

from retrieval.errors import StoreUnavailable


@contextmanager
def unavailable_if(store: str, advice: str, *kinds: type[Exception]) -> Iterator[None]:
    """Raises StoreUnavailable where the block raises one of `kinds`, or where Rust panics.

    A panic in a PyO3 library arrives as a BaseException of a class that can't be imported; it
    happens on damaged files (seen with a zeroed tantivy `.idx`), so it must not end the server.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, kinds) or type(error).__name__ == "PanicException":
            reason = str(error) or type(error).__name__
            raise StoreUnavailable(f"{store} failed: {reason.rstrip('.')}. {advice}") from error
        raise
