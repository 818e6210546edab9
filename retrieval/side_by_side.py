"""Requests to a server that are under way at the same time: each takes it a round trip or two."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 8


@contextmanager
def side_by_side(do: Callable[[T], object], items: Iterable[T]) -> Iterator[None]:
    """Do something with each of these, 8 at a time, and beside the block.

    When it ends, it is done with all of them, and nothing is under way any more. Once the block has
    ended, none is begun after a failure, be it the block's; the first one is raised.
    """
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="side-by-side") as pool:
        doing = [pool.submit(do, item) for item in items]
        try:
            yield
            wait(doing, return_when=FIRST_EXCEPTION)
        finally:
            pool.shutdown(cancel_futures=True)
    for one in doing:  # in the order in which they began: none was given up before the first failed
        one.result()
