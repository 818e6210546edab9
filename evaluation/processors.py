"""Processor time: what processes have taken, each alone and by all that it started, and what the
cores of this machine have been busy with.

Linux tells it, in hundredths of a second.
"""

import os
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import LoadError

_PROC = Path("/proc")
_BUSY = (0, 1, 2, 5, 6, 7)  # of a core's times: all but idle, waiting, and guests, counted in user


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of processors that a process took `alone`, and what it started `below` it."""

    alone: float = 0.0
    below: float = 0.0

    def since(self, before: "Taken") -> "Taken":
        return Taken(self.alone - before.alone, self.below - before.below)


@dataclass(frozen=True, slots=True)
class _Process:
    parent: int
    own: float
    ended: float  # of children that are gone


def taken_by(pids: Collection[int]) -> Mapping[int, Taken]:
    """What each of these processes has taken so far. Who was started by one of them that another
    one started counts to the nearer one. Raises LoadError where nothing tells, or one is gone.
    """
    every = dict(_processes())
    if missing := [pid for pid in pids if pid not in every]:
        raise LoadError(f"Nothing tells what process {missing[0]} takes: is it gone?")
    below: defaultdict[int, float] = defaultdict(float)
    for pid, process in every.items():
        owner = _owner(pid, every, pids)
        if owner is not None:
            below[owner] += process.ended + (0.0 if owner == pid else process.own)
    return {pid: Taken(every[pid].own, below[pid]) for pid in pids}


def busy_seconds() -> float:
    """For how long the cores that this process may use have been busy, with anything, in all.

    Raises LoadError where nothing tells.
    """
    mine = {f"cpu{core}" for core in os.sched_getaffinity(0)} if _has_affinity() else set()
    try:
        lines = [line.split() for line in (_PROC / "stat").read_text().splitlines()]
    except OSError as error:
        raise LoadError(f"Nothing tells how busy this machine is: {error}.") from error
    ticks = sum(int(line[1 + at]) for line in lines if line[0] in mine for at in _BUSY)
    return ticks / _ticks()


def _owner(pid: int, every: Mapping[int, _Process], pids: Collection[int]) -> int | None:
    """The nearest of these that started a process, be it that itself."""
    while pid in every:
        if pid in pids:
            return pid
        pid = every[pid].parent
    return None


def _processes() -> Iterator[tuple[int, _Process]]:
    ticks = _ticks()
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            told = stat.read_text()
        except OSError:  # it ended meanwhile
            continue
        fields = told.rpartition(")")[2].split()  # its name, before that, may hold anything
        user, system, ended_user, ended_system = map(int, fields[11:15])
        ended = (ended_user + ended_system) / ticks
        yield int(stat.parent.name), _Process(int(fields[1]), (user + system) / ticks, ended)


def _has_affinity() -> bool:
    return hasattr(os, "sched_getaffinity")


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")
