import os
import sys

import pytest

from evaluation.resources import current_memory, highest_memory, on_cores, resident_memory

HAS_AFFINITY = hasattr(os, "sched_getaffinity")


@pytest.mark.skipif(not HAS_AFFINITY, reason="the system has no affinity")
def test_what_starts_meanwhile_has_so_many_cores() -> None:
    before = os.sched_getaffinity(0)
    with on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
    with on_cores(None):
        assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_highest_memory_is_at_least_what_there_was() -> None:
    before = resident_memory()
    taken = bytearray(64 * 1024 * 1024)
    taken[::4_096] = b"1" * len(taken[::4_096])
    del taken
    highest = highest_memory()
    assert highest is not None
    assert highest > before * 0.5 + 32  # `resident_memory` counts children too


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_memory_of_a_process_is_told_by_its_id() -> None:
    now, highest = current_memory(os.getpid()), highest_memory(os.getpid())
    assert now is not None and highest is not None
    assert 0 < now <= highest
    assert current_memory(2**30) is None  # nobody has that
