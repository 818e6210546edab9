"""What this process takes of the machine: memory, disk and cores."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

_LOOK = 0.1  # seconds between two looks at the memory
_TASKS = Path("/proc/self/task")


def resident_memory() -> float:
    """Megabytes that this process and its children have in memory."""
    own = os.getpid()
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if own in (int(fields["Pid"]), int(fields["PPid"])):
            total += int(fields.get("VmRSS", "0 kB").split()[0])
    return total / 1024


def highest_memory(pid: int | None = None) -> float | None:
    """Megabytes: the most that a process itself, by default this one, ever had in memory; None
    where the system doesn't tell.

    Not what `getrusage` says: that begins with what the process had which started this one.
    """
    return _told(pid, "VmHWM")


def current_memory(pid: int) -> float | None:
    """Megabytes that a process itself has in memory; None where the system doesn't tell."""
    return _told(pid, "VmRSS")


def _told(pid: int | None, field: str) -> float | None:
    try:
        status = Path(f"/proc/{'self' if pid is None else pid}/status").read_text()
    except OSError:
        return None
    found = next((line for line in status.splitlines() if line.startswith(f"{field}:")), None)
    return int(found.split()[1]) / 1024 if found else None


@contextmanager
def on_cores(count: int | None) -> Iterator[None]:
    """What this thread starts meanwhile may use so many cores; None: all that this process may."""
    if count is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """The peak of `resident_memory` while the block runs."""
    peak = [0.0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(_LOOK):
            peak[0] = max(peak[0], resident_memory())

    looker = threading.Thread(target=look)
    looker.start()
    try:
        yield peak
    finally:
        over.set()
        looker.join()
        peak[0] = max(peak[0], resident_memory())


def folder_size(folder: Path) -> float:
    """Megabytes of the files in a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@contextmanager
def one_core() -> Iterator[None]:
    """All threads of this process on one core while the block runs, where the system has that."""
    if not _TASKS.exists():
        yield
        return
    before = os.sched_getaffinity(0)
    _run_on({min(before)})
    try:
        with threadpool_limits(1):  # its threads would wait for each other, spinning
            yield
    finally:
        _run_on(before)


def _run_on(cores: set[int]) -> None:
    for task in _TASKS.iterdir():
        try:
            os.sched_setaffinity(int(task.name), cores)
        except ProcessLookupError:  # it ended meanwhile
            continue
