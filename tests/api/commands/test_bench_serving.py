"""With a server of its own, a child with the hashing embedder."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from api.commands.bench import child_server
from evaluation.errors import LoadError
from evaluation.serving_bench.figures import ServingBench
from tests.api.commands.conftest import Run
from tests.evaluation.sets import entry, write_set

QUICK = ("--documents", "8", "--seconds", "0.1", "--rounds", "1", "--rate", "50", "--clients", "2")
ROOT = Path(__file__).parents[3]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_set(
        tmp_path / "set",
        [entry(n, f"Harbour {n} was dredged in {1900 + n}.") for n in range(5)],
        [entry("q", "Which harbour was dredged?")],
        "q\t1\t1\n",
    )


@pytest.fixture(autouse=True)
def _found_by_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_everything_is_reported(run: Run, dataset: Path, tmp_path: Path) -> None:
    page, pasted = tmp_path / "out.html", tmp_path / "out.md"
    files = ("--html", str(page), "--markdown", str(pasted))
    result = run("bench", "serve", str(dataset), *QUICK, *files, "--json")
    assert result.exit_code == 0, result.output
    bench = ServingBench.from_json(json.loads(result.stdout))
    assert bench.server.startswith("Footnote ")
    assert "hashing" in bench.server
    assert bench.documents == 8  # three of them copies
    assert bench.ingestions[0].texts == 8
    assert len(bench.steps) == len(bench.throughputs) == 4
    assert not any(one.errors for one in (*bench.steps, *bench.throughputs))
    assert (bench.memory is not None) == (sys.platform == "linux")
    for path in (page, pasted):
        assert "beside ingestion" in path.read_text(encoding="utf-8")
    assert "<svg" in page.read_text(encoding="utf-8")
    assert not (tmp_path / "data").exists()  # what the settings name isn't touched


def test_why_its_server_cannot_start_is_told(
    dataset: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "ftp://x")
    with pytest.raises(LoadError, match=r"ended with status 1: OLLAMA_HOST is 'ftp://x'"):
        run("bench", "serve", str(dataset), *QUICK)


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")
def test_an_interrupt_leaves_no_child(dataset: Path, tmp_path: Path) -> None:
    """Nor the folder that it has written into."""
    aside = tmp_path / "aside"
    aside.mkdir()
    code = "from api.cli import main; main()"
    environment = {**os.environ, "FOOTNOTE_EMBEDDING_MODEL": "hashing", "TMPDIR": str(aside)}
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", code, "bench", "serve", str(dataset), "--seconds", "60"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            child = _child(process, aside)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode not in (0, -signal.SIGKILL)
    assert not Path(f"/proc/{child}").exists()
    assert list(aside.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--url", "http://127.0.0.1:1"), "--url and --kb go together"),
        (("--kb", "docs"), "--url and --kb go together"),
        (("--url", "ftp://h", "--kb", "docs"), "is no URL of a server"),
        (("--url", "http://h:x", "--kb", "docs"), "is no URL"),
        (("--url", "http://h", "--kb", "docs", "--documents", "3"), "--documents is for"),
        (("--call", "sing"), "'sing' is not one of"),
        (("--html", "EMPTY/report.html"), "can't be written"),
        (("--rounds", "0"), "greater than or equal to 1"),
    ],
)
def test_what_is_misused_ends_it_with_status_2(
    run: Run, dataset: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    given = [one.replace("EMPTY", str(empty)) for one in arguments]
    result = run("bench", "serve", str(dataset), *given)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())


def test_a_folder_that_is_no_set_is_misuse(run: Run, tmp_path: Path) -> None:
    result = run("bench", "serve", str(tmp_path))
    assert result.exit_code == 2
    assert "can't be read" in result.stderr


def test_the_server_ends_with_the_input_of_its_process(tmp_path: Path) -> None:
    """However its parent ends, even by SIGKILL."""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", child_server.__name__, "serve", "--data", str(tmp_path)],
        env={**os.environ, "FOOTNOTE_EMBEDDING_MODEL": "hashing", "FOOTNOTE_PORT": "0"},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in (0, -signal.SIGTERM)


def _child(process: "subprocess.Popen[bytes]", aside: Path) -> int:
    """That which has begun to write there."""
    while not list(aside.glob("*/data")):
        assert process.poll() is None, "It ended before it had a child."
        time.sleep(0.05)  # there is nothing to wait on but the folder
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    (child,) = (int(one) for path in tasks for one in path.read_text().split())
    return child
