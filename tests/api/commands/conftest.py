"""The command line over a temporary directory, with the hashing embedder."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli import cli

Run = Callable[..., Result]
Printed = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; an error that nobody expected is raised."""
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_MODEL", "hashing")
    monkeypatch.setenv("FOOTNOTE_DATA", str(tmp_path / "data"))
    runner = CliRunner()

    def run_one(*arguments: str, **more: Any) -> Result:
        return runner.invoke(cli, arguments, catch_exceptions=False, **more)

    return run_one


@pytest.fixture
def printed(run: Run) -> Printed:
    """Runs a command with --json and gives what it printed."""

    def run_one(*arguments: str, status: int = 0) -> Any:
        result = run(*arguments, "--json")
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)

    return run_one


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that can be read and one that can't."""
    folder = tmp_path / "文档 [red]"
    (folder / "drafts").mkdir(parents=True)
    (folder / "tea.txt").write_text("The office serves tea at four 🍵.", encoding="utf-8")
    (folder / "drafts" / "运费.md").write_text(
        "# 运费\n\n运费险的理赔时限是七天。", encoding="utf-8"
    )
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
    return folder
