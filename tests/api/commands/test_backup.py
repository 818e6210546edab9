from pathlib import Path

import pytest

from retrieval.errors import InvalidRequest
from tests.api.commands.conftest import Printed, Run


def _elsewhere(tmp_path: Path) -> tuple[str, str]:
    return str(tmp_path / "backup.tar"), str(tmp_path / "elsewhere")


def test_what_is_backed_up_is_laid_out_elsewhere(
    run: Run, printed: Printed, tmp_path: Path
) -> None:
    target, data = _elsewhere(tmp_path)
    (tmp_path / "tea.txt").write_text("Tea is at four.")
    printed("ingest", str(tmp_path / "tea.txt"), "--kb", "kb")
    assert printed("backup", target)["documents"] == 1
    restored = run("restore", target, "--data", data)
    assert restored.exit_code == 0, restored.output
    assert "keys" not in restored.stderr
    assert printed("search", "tea", "--kb", "kb", "--data", data)["hits"]


def test_keys_that_are_valid_again_are_told(run: Run, printed: Printed, tmp_path: Path) -> None:
    target, data = _elsewhere(tmp_path)
    for name in ("laptop", "old"):
        made = printed("keys", "create", name)
    run("keys", "revoke", made["id"])
    printed("backup", target)
    restored = run("restore", target, "--data", data)
    assert "are valid here" in restored.stderr
    assert "laptop" in restored.stderr
    assert "old" not in restored.stderr


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_catalogue_on_a_server_is_left_to_its_own_tools(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("FOOTNOTE_DATABASE_URL", "postgresql://here/footnote")
    with pytest.raises(InvalidRequest, match="pg_dump"):
        run(command, "copy.tar")
