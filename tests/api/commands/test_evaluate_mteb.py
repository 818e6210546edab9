"""`footnote eval mteb`."""

import json
import sys
from pathlib import Path

import pytest

from evaluation.errors import EvaluationError
from tests.api.commands.conftest import Printed, Run
from tests.evaluation.sets import entry, write_set

TOPICS = ["tea", "warranty", "battery", "office", "invoice", "holiday"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_set(
        tmp_path / "set [red]",
        [entry(f"d{n}", f"All about {word}. " * 100 ** (n == 0)) for n, word in enumerate(TOPICS)],
        [entry(f"q{n}", f"{word}?") for n, word in enumerate(TOPICS)],
        "".join(f"q{n}\td{n}\t1\n" for n in range(len(TOPICS))) + "q0\tgone\t1\n",
    )


def test_without_the_extra_it_says_how_to_install_it(
    run: Run, dataset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("mteb_measuring", "mteb_model", "mteb_task"):
        monkeypatch.delitem(sys.modules, f"evaluation.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "mteb", None)
    monkeypatch.setitem(sys.modules, "datasets", None)
    result = run("eval", "mteb", str(dataset))
    assert result.exit_code == 1
    said = " ".join((result.stderr + capsys.readouterr().err).split())
    assert "pip install -e '.[mteb]'" in said


def test_a_table_and_json_and_files(
    printed: Printed, run: Run, dataset: Path, tmp_path: Path
) -> None:
    pytest.importorskip("mteb")
    [told] = printed("eval", "mteb", str(dataset))
    assert (told["task"], told["model"]) == ("set [red]", "footnote/hashing")
    assert (told["questions"], told["cut_questions"]) == (6, 0)
    assert (told["documents"], told["cut_documents"]) == (6, 1)
    assert told["scores"]["ndcg_at_10"] == pytest.approx(0.935, abs=0.001)  # a document is gone
    assert told["path"] is None
    result = run("eval", "mteb", str(dataset), "--out", str(tmp_path / "new" / "out"))
    heading, columns, row, note, path = result.stdout.splitlines()
    assert heading.strip() == f"footnote/hashing, {told['revision']}"
    assert columns.split()[:7] == "set questions cut documents cut nDCG@10 recall@10".split()
    assert row.split() == ["set", "[red]", *"6 0 6 1 93.6 91.7 91.7 100.0 91.7".split()]
    assert "hasn't got" in note
    kept = json.loads(Path(path).read_text(encoding="utf-8"))
    assert kept["scores"]["test"][0]["ndcg_at_10"] == told["scores"]["ndcg_at_10"]


def test_a_set_that_is_none_is_named(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("mteb")
    with pytest.raises(EvaluationError, match="nowhere"):
        run("eval", "mteb", str(tmp_path / "nowhere"))
