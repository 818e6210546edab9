from pathlib import Path

import pytest

from tests.api.commands.conftest import Printed, Run


@pytest.fixture(autouse=True)
def _ingested(run: Run, folder: Path) -> None:
    run("ingest", str(folder))


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_json_has_hits_with_their_legs(printed: Printed, mode: str) -> None:
    found = printed("search", "运费险", "--mode", mode, "-n", "1")
    (hit,) = found["hits"]
    assert (hit["rank"], hit["title"], hit["heading"]) == (1, "运费", ["运费"])
    assert hit["legs"]


def test_hits_are_printed_with_their_place(run: Run) -> None:
    result = run("search", "tea")
    assert result.exit_code == 0
    assert " 1. tea" in result.stdout
    assert "serves tea at four 🍵." in result.stdout
    assert "lexical" in result.stdout


def test_a_title_cannot_begin_a_line_of_its_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a\n99. forged.txt").write_text("Coffee is at five.")
    assert r"a\n99. forged.txt" in run("ingest", str(tmp_path / "a\n99. forged.txt")).stdout
    for command in ("search", "ask"):
        shown = run(command, "When is coffee at five?").stdout
        assert r"a\n99. forged" in shown
        assert not any(line.startswith("99.") for line in shown.splitlines())


def test_nothing_found_is_said(run: Run) -> None:
    result = run("search", "zebra", "--mode", "lexical")
    assert (result.exit_code, result.stdout) == (0, "Nothing was found.\n")


def test_a_filter_leaves_documents_out(printed: Printed) -> None:
    found = printed("search", "tea", "--filter", '{"title": "运费"}')
    assert [hit["title"] for hit in found["hits"]] == ["运费"]
