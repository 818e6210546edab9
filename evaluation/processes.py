"""Processes that are started to be measured, and end whatever they do."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

_SAID = 300  # characters of what it said last


def end(process: "subprocess.Popen[Any]", seconds: float) -> None:
    """Wait so long for a process that leads its session; then end it and all it has started."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        kill_session(process)
        process.wait()


def kill_session(process: "subprocess.Popen[Any]") -> None:
    """End what there still is of it and of those that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def how_it_ended(status: int, lines: Sequence[str]) -> str:
    """With what status or signal, and the last that it said: `ended with status 1: no memory`."""
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    said = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"ended with {how}{': ' if said else ''}{said[:_SAID]}"
