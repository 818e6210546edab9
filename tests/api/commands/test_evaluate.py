import json
from pathlib import Path

import pytest

from tests.api.commands.conftest import Printed, Run

TOPICS = ["tea", "warranty", "运费险", "battery", "office", "退货", "invoice", "holiday"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A retrieval set whose queries are words of one text each."""
    folder = tmp_path / "set [red]"
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": f"d{n}", "title": "", "text": f"All about {word}."} for n, word in enumerate(TOPICS)
    ]
    queries = [{"_id": f"q{n}", "text": f"{word}?"} for n, word in enumerate(TOPICS)]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    judged = "".join(f"q{n}\td{n}\t1\n" for n in range(len(TOPICS)))
    (folder / "qrels" / "test.tsv").write_text("query\tdocument\tscore\n" + judged)
    return folder


def test_retrieval_scores_each_mode(printed: Printed, run: Run, dataset: Path) -> None:
    scores = printed("eval", "retrieval", str(dataset))
    assert [score["mode"] for score in scores] == ["dense", "lexical", "hybrid"]
    assert all(score["ndcg_10"] == 1.0 and score["recall_100"] == 1.0 for score in scores)
    table = run("eval", "retrieval", str(dataset))
    assert "set [red]" in table.stdout
    assert "hybrid   100.0" in table.stdout


def test_answers_are_measured_on_the_samples(printed: Printed) -> None:
    score = printed("eval", "answers")
    assert score["answerable"] + score["unanswerable"] > 30
    assert all(0 <= score[name] <= 1 for name in ("first", "any", "refused", "abstained"))
    assert score["any"] >= score["first"] > 0.3


def test_abstention_is_fitted(printed: Printed, dataset: Path) -> None:
    calibration = printed("eval", "abstention", str(dataset))
    assert len(calibration["weights"]) == 5
    assert calibration["held_out"] > 0
