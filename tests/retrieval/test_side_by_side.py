import threading

import pytest

from retrieval.side_by_side import AT_ONCE, side_by_side
from tests.retrieval.library import SOON


def test_all_are_done_beside_the_block_and_so_many_at_once() -> None:
    together = threading.Barrier(AT_ONCE + 1, timeout=SOON)
    done: list[int] = []

    def do(item: int) -> None:
        if item < AT_ONCE:
            together.wait()
        done.append(item)

    with side_by_side(do, range(2 * AT_ONCE)):
        together.wait()
    assert sorted(done) == [*range(2 * AT_ONCE)]


def test_after_a_failure_none_is_begun_and_none_is_under_way() -> None:
    begun, ended, failed = [], [], threading.Event()

    def do(item: int) -> None:
        begun.append(item)
        if item == 1:
            failed.set()
            raise ValueError(item)
        assert failed.wait(SOON)
        threading.Event().wait(0.1)  # the others are slower than who looks
        ended.append(item)

    with pytest.raises(ValueError, match="1"), side_by_side(do, range(100 * AT_ONCE)):
        pass
    assert len(begun) < 100 * AT_ONCE
    assert sorted([*ended, 1]) == sorted(begun)


def test_what_fails_in_the_block_begins_no_more() -> None:
    go_on, begun = threading.Event(), []

    def do(item: int) -> None:
        begun.append(item)
        assert go_on.wait(SOON)

    with pytest.raises(KeyError), side_by_side(do, range(100)):
        threading.Timer(0.1, go_on.set).start()
        raise KeyError
    assert len(begun) == AT_ONCE


def test_of_nothing_nothing_is_done() -> None:
    with side_by_side(pytest.fail, []):
        pass
