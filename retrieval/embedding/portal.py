"""Asking a server of models from threads, by an event loop of its own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from anyio.from_thread import BlockingPortal, start_blocking_portal

from retrieval.errors import ModelServerError, ModelServerUnavailable, ModelUnavailable


@contextmanager
def opening(model: str) -> Iterator[tuple[ExitStack, BlockingPortal]]:
    """A way to the loop, and what closes it: at once where the block fails.

    Raises ModelServerUnavailable as it comes, since it may pass, and ModelUnavailable in place of
    any other ModelServerError.
    """
    resources = ExitStack()
    try:
        yield resources, resources.enter_context(start_blocking_portal())
    except BaseException as error:
        resources.close()
        passing = isinstance(error, ModelServerUnavailable)
        if isinstance(error, ModelServerError) and not passing:
            raise ModelUnavailable(f"The embedding model {model!r}: {error}") from error
        raise
