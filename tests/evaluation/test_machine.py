import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from evaluation import machine
from retrieval import processor

PYTHON = f"Python {platform.python_version()}"


def _loaded(monkeypatch: pytest.MonkeyPatch, **modules: object) -> None:
    """The module sees these as all that are loaded; others in this process see what is."""
    monkeypatch.setattr(machine, "sys", SimpleNamespace(modules=modules))


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A machine of one core and 4 GiB; the file that says of which kind."""
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor\t: 0\nmodel name\t: A CPU: fast @ 2 GHz\nmodel name\t: other\n")
    monkeypatch.setattr(processor, "_CPUINFO", cpuinfo)
    monkeypatch.setattr(processor, "_OWN", tmp_path / "no cgroups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    sizes = {"SC_PHYS_PAGES": 1 << 20, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__, raising=False)
    _loaded(monkeypatch)
    processor.available_cores.cache_clear()
    yield cpuinfo
    processor.available_cores.cache_clear()


def test_a_machine_is_told_in_a_line() -> None:
    assert machine.describe() == f"A CPU: fast @ 2 GHz, 1 core, 4 GiB RAM, {PYTHON}"


def test_torch_is_not_loaded_for_it() -> None:
    code = "import sys; from evaluation import machine; machine.describe(); print(*sys.modules)"
    told = subprocess.run(  # noqa: S603 - ours alone
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "torch" not in told.stdout.split()


@pytest.mark.parametrize(("there", "told"), [(True, ", H200, H200"), (False, "")])
def test_gpus_are_told_where_torch_has_them(
    monkeypatch: pytest.MonkeyPatch, there: bool, told: str
) -> None:
    cuda = SimpleNamespace(
        is_available=lambda: there, device_count=lambda: 2, get_device_name=lambda _: "H200"
    )
    _loaded(monkeypatch, torch=SimpleNamespace(cuda=cuda))
    assert machine.describe().endswith(f"{PYTHON}{told}")


def test_what_a_system_does_not_tell_is_left_out(
    monkeypatch: pytest.MonkeyPatch, small: Path
) -> None:
    small.unlink()
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(platform, "processor", lambda: "")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert machine.describe() == f"arm64, 8 cores, {PYTHON}"


@pytest.mark.parametrize(("load", "told"), [(0.1, ""), (7.0, "its load was 7.0 when this began")])
def test_other_work_is_told(monkeypatch: pytest.MonkeyPatch, load: float, told: str) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0), raising=False)
    monkeypatch.setattr(machine, "available_cores", lambda: 2)
    assert told in machine.other_work()
    assert bool(machine.other_work()) is bool(told)
