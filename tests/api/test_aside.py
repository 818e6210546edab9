import threading

import anyio
import pytest

from api.aside import aside


@pytest.mark.parametrize(("size", "aside_of_the_loop"), [(1_000, False), (1_000_000, True)])
def test_large_bodies_are_read_in_a_thread(size: int, aside_of_the_loop: bool) -> None:
    async def thread() -> int:
        return await aside(lambda body: threading.get_ident() + 0 * len(body), b"x" * size)

    assert (anyio.run(thread) != threading.get_ident()) == aside_of_the_loop


def test_what_it_raises_is_raised() -> None:
    async def read() -> int:
        return await aside(int, b"x" * 100_000)

    with pytest.raises(ValueError, match="invalid literal"):
        anyio.run(read)
