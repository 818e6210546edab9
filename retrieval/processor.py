"""The processor: its name, and how many cores of it this process may use.

Those are the ones of its affinity, within the quota of its cgroups. By `os.cpu_count()` a container
has all cores of its host, and as many threads then take turns on the few that it may use.
"""

import contextlib
import math
import os
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_CPUINFO = Path("/proc/cpuinfo")


def processor_name() -> str:
    """As the system tells it: `AMD EPYC`, or where it has no name the architecture."""
    if _CPUINFO.exists():
        for line in _CPUINFO.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()  # ARM has no model name there


@cache
def available_cores() -> int:
    """At least one; a quota of two and a half cores is three."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return max(1, min(cores, *(math.ceil(quota) for quota in quotas(_CGROUPS, _OWN)), cores))


def quotas(cgroups: Path, own: Path) -> Iterator[float]:
    """The cores that each cgroup above this process allows, where it sets a limit.

    Linux, Documentation/admin-guide/cgroup-v2.rst ("cpu.max") and scheduler/sched-bwc.rst, where
    version 1 has two files.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        root = _mounted(cgroups) if controllers else cgroups
        # Inside a container the path is that of the host, and what is mounted is its end.
        for folder in (root, *(root.joinpath(*parts) for parts in _beginnings(path))):
            if quota := _quota(folder):
                yield quota


def _mounted(cgroups: Path) -> Path:
    """Where version 1 has the CPU's groups: in `cpu`, or `cpu,cpuacct` in whichever order."""
    with contextlib.suppress(OSError):
        for folder in sorted(cgroups.iterdir()):
            if "cpu" in folder.name.split(","):
                return folder
    return cgroups


def _beginnings(path: str) -> Iterator[tuple[str, ...]]:
    parts = tuple(part for part in path.split("/") if part not in ("", ".."))
    return (parts[: at + 1] for at in range(len(parts)))


def _quota(folder: Path) -> float | None:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            limit, period = " ".join((folder / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return None if limit in ("max", "-1") else int(limit) / int(period)
    return None
