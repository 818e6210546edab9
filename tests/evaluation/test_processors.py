"""Processes that work, and what is told of them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from evaluation.errors import LoadError
from evaluation.processors import busy_seconds, taken_by

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")

WORK = """
import sys, time
while time.process_time() < 0.3: pass
print("done", flush=True)
sys.stdin.read()
"""
STARTS = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {WORK!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(code: str) -> Iterator[tuple[int, str]]:
    """The id of a process, and the first line that it said."""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(  # noqa: S603 - ours alone
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.pid, process.stdout.readline()
        finally:
            process.kill()


def test_a_process_is_told_apart_from_what_it_started() -> None:
    with running(STARTS) as (parent, told):
        child = int(told)
        alone = taken_by([parent])[parent]
        assert alone.below >= 0.2
        assert alone.alone < alone.below
        each = taken_by([parent, child, os.getpid()])  # the nearest has it
        assert each[parent].below < 0.1
        assert each[child].alone >= 0.2
        assert taken_by([os.getpid()])[os.getpid()].below >= 0.2
        os.kill(child, 9)


def test_what_was_taken_before_does_not_count() -> None:
    with running(WORK) as (pid, _):
        before = taken_by([pid])[pid]
        assert before.alone >= 0.2
        assert taken_by([pid])[pid].since(before).alone < 0.1


def test_a_process_that_is_gone_is_named() -> None:
    with pytest.raises(LoadError, match=str(2**30)):
        taken_by([2**30])


def test_cores_are_at_least_as_busy_as_this_process() -> None:
    busy, began = busy_seconds(), time.process_time()
    while time.process_time() - began < 0.3:
        pass
    assert busy_seconds() - busy >= 0.2  # counted in hundredths, a core at a time
