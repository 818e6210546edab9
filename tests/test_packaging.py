"""What an installed package needs is inside the packages that are installed."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES: list[str] = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_one_and_is_typed(package: str) -> None:
    assert (ROOT / package / "__init__.py").is_file()
    assert (ROOT / package / "py.typed").is_file()


@pytest.mark.parametrize(
    "file",
    [
        "api/web/index.html",
        "evaluation/report/base.html",
        "evaluation/report/bench.html",
        "evaluation/report/page.html",
        "retrieval/migrations/env.py",
        "retrieval/migrations/script.py.mako",
        "retrieval/migrations/versions/0001_the_first_catalogue.py",
        "sample_docs/questions.jsonl",
        "sample_docs/员工休假管理制度.docx",
        "sample_docs/laboratory-safety-protocol.pdf",
    ],
)
def test_files_that_are_read_at_run_time_are_in_a_package(file: str) -> None:
    assert file.split("/")[0] in PACKAGES
    assert (ROOT / file).is_file()


def test_no_rule_keeps_a_file_of_a_package_out_of_the_wheel() -> None:
    """Hatchling leaves out what git ignores."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    ignored = subprocess.run(  # noqa: S603
        ["git", "ls-files", "--others", "--ignored", "--exclude-standard", *PACKAGES],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [path for path in ignored if "__pycache__" not in path] == []


def test_the_command_is_the_one_of_the_readme() -> None:
    assert PROJECT["project"]["scripts"] == {"footnote": "api.cli:main"}
    assert PROJECT["project"]["readme"] == "README.md"
