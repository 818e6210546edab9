import json
from pathlib import Path

from tests.api.commands.conftest import Printed, Run


def test_a_bad_file_is_a_row_and_the_status_is_1(printed: Printed, folder: Path) -> None:
    report = printed("ingest", str(folder), status=1)
    outcomes = {row["name"]: row["outcome"] for row in report["files"]}
    assert outcomes == {"broken.pdf": "failed", "tea.txt": "added", "运费.md": "added"}
    (bad,) = (row for row in report["files"] if row["outcome"] == "failed")
    assert "broken.pdf" in bad["error"]
    assert report["counts"] == {"failed": 1, "added": 2}
    assert report["embedded"] == 2


def test_the_same_again_costs_nothing(printed: Printed, folder: Path) -> None:
    (folder / "broken.pdf").unlink()
    assert printed("ingest", str(folder))["embedded"] == 2
    again = printed("ingest", str(folder))
    assert (again["counts"], again["embedded"]) == ({"unchanged": 2}, 0)


def test_patterns_choose_files_of_a_folder(printed: Printed, folder: Path) -> None:
    report = printed("ingest", str(folder), "--exclude", "drafts/*", "--include", "*.txt")
    assert [row["name"] for row in report["files"]] == ["tea.txt"]
    assert len(report["skipped"]) == 2


def test_the_report_is_a_table_for_people(run: Run, folder: Path) -> None:
    result = run("ingest", str(folder), "--kb", "other")
    assert result.exit_code == 1
    assert "tea.txt" in result.stdout
    assert "运费.md" in result.stdout
    assert "3 files: 1 failed, 2 added; 2 chunks embedded" in result.stdout


def test_a_data_directory_that_is_named_is_used(
    run: Run, printed: Printed, folder: Path, tmp_path: Path
) -> None:
    elsewhere = str(tmp_path / "elsewhere")
    run("ingest", str(folder / "tea.txt"), "--data", elsewhere)
    assert (tmp_path / "elsewhere" / "catalogue.sqlite").exists()
    assert printed("kb", "list") == []
    assert [kb["name"] for kb in printed("kb", "list", "--data", elsewhere)] == ["default"]


def test_standard_input_is_a_document(run: Run, printed: Printed) -> None:
    result = run("ingest", "-", "--name", "note.md", "--json", input="# Tea\n\nIt is at four.")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["counts"] == {"added": 1}
    [hit] = printed("search", "tea")["hits"]
    assert (hit["uri"], hit["heading"]) == ("note.md", ["Tea"])
