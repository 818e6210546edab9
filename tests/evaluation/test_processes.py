import signal
import subprocess
import sys

import pytest

from evaluation.processes import end, how_it_ended, kill_session

FOREVER = "import signal; signal.pause()"


def start(code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True
    )


@pytest.mark.parametrize(
    ("status", "lines", "said"),
    [
        (1, ["first", "no memory ", " "], "ended with status 1: no memory"),
        (-9, [], "ended with signal SIGKILL"),
        (3, ["x" * 400], f"ended with status 3: {'x' * 300}"),
    ],
)
def test_how_it_ended_is_told(status: int, lines: list[str], said: str) -> None:
    assert how_it_ended(status, lines) == said


def test_one_that_does_not_end_is_ended() -> None:
    with start(FOREVER) as process:
        end(process, 0.01)
        assert process.returncode == -signal.SIGKILL


def test_what_it_has_started_ends_too() -> None:
    code = (
        "import subprocess, sys\n"
        f"one = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\n"
        "print('begun', flush=True)"
    )
    with start(code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        end(process, 60)
        kill_session(process)
        assert process.stdout.read() == ""  # nobody holds the other end any more
