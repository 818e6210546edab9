"""Disks that are full, or can't be written: said, and got over."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.conftest import Server, StartServer

_TEXT = "The warranty of part {n} lasts {n} months, says page {n} of the handbook.\n\n"
_SMALL, _LARGE = 64, 400  # MB
_LEFT = 300_000  # bytes
_PATIENCE = 90.0  # seconds until all is well again


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The data directory, on a small disk of its own."""
    place = tmp_path / "data"
    place.mkdir()
    mounted = _run("mount", "-t", "tmpfs", "-o", f"size={_SMALL}m", "footnote", str(place))
    if mounted.returncode != 0:
        pytest.skip("No disk can be mounted here: that takes root.")
    yield place
    _run("umount", "-l", str(place)).check_returncode()


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(  # noqa: S603 - ours alone
        command, capture_output=True, text=True, env=environment, check=False
    )


def _remount(place: Path, option: str) -> None:
    _run("mount", "-o", f"remount,{option}", str(place)).check_returncode()


def _text(number: int) -> dict[str, str]:
    paragraphs = "".join(_TEXT.format(n=f"{number}-{at}") for at in range(600)).strip()
    return {"uri": f"part/{number}", "text": paragraphs}


def _fill(place: Path) -> None:
    """Leave hardly any room."""
    with (place / "ballast").open("wb") as ballast:
        room = os.statvfs(place)
        ballast.write(bytes(room.f_bavail * room.f_bsize - _LEFT))


def _is_told(reply: httpx.Response) -> None:
    assert reply.status_code in (503, 507), (reply.status_code, reply.text[:500])
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["detail"]


def _until(held: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not held():
        assert time.monotonic() < deadline
        time.sleep(0.2)  # there is nothing to wait on


def _settled(server: Server) -> bool:
    counts: dict[str, int] = server.http.get("/jobs?kb=kb").json()["counts"]
    return set(counts) <= {"done", "failed"}  # those whose bytes found no room were refused


def _texts(server: Server) -> dict[str, str]:
    """What every document says, by its uri."""
    listed = server.http.get("/kb/kb/documents?limit=1000").raise_for_status().json()["documents"]
    return {
        one["uri"]: server.http.get(f"/kb/kb/documents/{one['id']}/text").text for one in listed
    }


def _is_sound(place: Path) -> None:
    doctor = "from api.cli import main; main()", "doctor", "--data", str(place)
    done = _run(sys.executable, "-c", *doctor)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_disk_that_is_full_loses_nothing_and_all_goes_on_once_there_is_room(
    start_server: StartServer, disk: Path
) -> None:
    server = start_server()
    server.http.put("/kb/kb").raise_for_status()
    accepted: dict[str, str] = {}
    refused = 0
    for number in range(60):
        if number == 3:
            _fill(disk)
        document = _text(number)
        reply = server.http.post("/kb/kb/documents", json=document)
        if reply.status_code == 202:
            accepted[document["uri"]] = document["text"]
        else:
            _is_told(reply)
            refused += 1
        if refused >= 5:
            break
    assert refused, "the disk never was full"
    assert accepted
    assert server.http.get("/health").status_code == 200
    assert server.http.get("/jobs?kb=kb").status_code == 200
    _remount(disk, f"size={_LARGE}m")
    (disk / "ballast").unlink()
    _until(lambda: _settled(server))
    assert _texts(server) == accepted
    found = server.http.post("/kb/kb/search", json={"query": "warranty of part 0-1"})
    assert found.raise_for_status().json()["hits"]
    server.stop()
    assert "Traceback" not in server.log.read_text()
    _is_sound(disk)


def test_a_read_only_directory_is_said_at_the_start(start_server: StartServer, disk: Path) -> None:
    start_server().stop()
    _remount(disk, "ro")
    with pytest.raises(AssertionError) as failure:
        start_server()
    said = str(failure.value)
    assert "Traceback" not in said
    assert str(disk) in said
    _remount(disk, "rw")
