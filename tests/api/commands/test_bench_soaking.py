"""With a server of its own, a child with the hashing embedder, that is killed."""

import json
from pathlib import Path

import pytest

from api.commands.bench import soaking
from tests.api.commands.conftest import Run

ROOT = Path(__file__).parents[3]
QUICK = ("--clients", "3", "--minutes", "0.1", "--kills", "1", "--documents", "3")


@pytest.fixture(autouse=True)
def _found_by_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_a_server_that_is_killed_loses_nothing(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "out.html"
    result = run("bench", "soak", *QUICK, "--html", str(page), "--json")
    figures = json.loads(result.stdout)
    assert figures["faults"] == []
    assert result.exit_code == 0, result.output
    assert figures["sound"]
    assert figures["written"] > 0
    assert len(figures["lives"]) == 2
    assert figures["lives"][1]["recovery"] > 0
    assert figures["retries"]["refused"] > 0
    assert "catalogue: whole" in figures["doctor"]
    assert "Lives of the server" in page.read_text(encoding="utf-8")


def test_what_is_wrong_ends_it_with_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.dumps([{"subject": "chunks", "ok": False, "detail": "3 have no vector"}])
    code = f"print({said!r}); raise SystemExit(1)"
    monkeypatch.setattr(soaking, "DOCTOR", (soaking.DOCTOR[0], "-c", code))
    result = run("bench", "soak", *QUICK, "--kills", "0")
    assert result.exit_code == 1
    assert "chunks: 3 have no vector" in result.stdout
    assert "Not sound: 1 fault." in result.stdout


def test_misuse_ends_it_with_status_2(run: Run) -> None:
    for option in ("--minutes", "--clients", "--documents"):
        assert run("bench", "soak", option, "0").exit_code == 2
