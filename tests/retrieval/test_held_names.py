import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from retrieval.dialects.held_names import HeldNames
from retrieval.errors import StoreUnavailable

SOON = 30.0  # seconds that nothing here takes


def test_a_name_is_held_by_one_at_a_time_and_others_are_free() -> None:
    names, got = HeldNames(), threading.Event()

    def hold() -> None:
        with names.holding(["b", "c"], SOON):
            got.set()

    with ThreadPoolExecutor(1) as pool:
        with names.holding(["a", "b"], SOON):
            held = pool.submit(hold)
            with names.holding(["c", "d"], SOON):
                names.wait(["e"], SOON)
            assert not got.wait(0.2)
        held.result(SOON)
    assert got.is_set()


def test_who_waits_holds_nothing() -> None:
    names = HeldNames()
    names.wait(["a"], SOON)
    with names.holding(["a"], 0.0):
        with pytest.raises(StoreUnavailable, match=r"0\.1 s"):
            names.wait(["a", "b"], 0.1)
        with pytest.raises(StoreUnavailable, match=r"0\.1 s"), names.holding(["a"], 0.1):
            pass
        with names.holding(["b"], 0.0):
            pass
    names.wait(["a", "b"], 0.0)


def test_an_exception_lets_go() -> None:
    names = HeldNames()
    with pytest.raises(KeyError), names.holding(["a"], SOON):
        raise KeyError
    names.wait(["a"], 0.0)
