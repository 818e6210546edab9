"""Cores are those a process may use, not those its host has."""

import os
from pathlib import Path

import pytest

from retrieval import processor
from retrieval.processor import available_cores, quotas


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "own"
    path.write_text(text)
    return path


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_quota_of_every_cgroup_above_counts(tmp_path: Path) -> None:
    write(tmp_path / "a", cpu__max="250000 100000\n")
    write(tmp_path / "a" / "b", cpu__max="max 100000\n")
    write(tmp_path / "a" / "b" / "c", cpu__max="400000 100000\n")
    assert list(quotas(tmp_path, own(tmp_path, "0::/a/b/c\n"))) == [2.5, 4.0]


def test_what_a_container_sees_is_the_end_of_its_path(tmp_path: Path) -> None:
    write(tmp_path, cpu__max="50000 100000\n")
    assert list(quotas(tmp_path, own(tmp_path, "0::/system.slice/docker-1.scope\n"))) == [0.5]


def test_version_1_has_two_files(tmp_path: Path) -> None:
    write(
        tmp_path / "cpu,cpuacct" / "x",
        **{"cpu.cfs_quota_us": "300000", "cpu.cfs_period_us": "100000"},
    )
    write(tmp_path / "memory" / "x", cpu__max="1 1")
    lines = "4:memory:/x\n3:cpuacct,cpu:/x\nno line of a cgroup\n"
    assert list(quotas(tmp_path, own(tmp_path, lines))) == [3.0]


def test_no_limit_and_no_cgroups(tmp_path: Path) -> None:
    write(tmp_path / "cpu", **{"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"})
    assert list(quotas(tmp_path, own(tmp_path, "1:cpu:/\n0::/\n"))) == []
    assert list(quotas(tmp_path, tmp_path / "missing")) == []


@pytest.mark.parametrize(("quota", "cores"), [(0.5, 1), (1.5, 2), (1000.0, None)])
def test_a_part_of_a_core_is_one(
    monkeypatch: pytest.MonkeyPatch, quota: float, cores: int | None
) -> None:
    monkeypatch.setattr(processor, "quotas", lambda *_: iter([quota]))
    available_cores.cache_clear()
    try:
        free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        assert available_cores() == min(cores or 1 << 20, free or 1)
    finally:
        available_cores.cache_clear()
