from pathlib import Path

import pytest
from pytrec_eval import RelevanceEvaluator

from evaluation.configuration import Configuration
from evaluation.judging import judge
from evaluation.report.trec_scores import scores
from evaluation.runs import Retrieved, Run
from evaluation.test_set import TestSet
from evaluation.trec import ranked, read_run, write_run

GRADES = {"q1": {"a": 1, "b": 2}, "z": {"c": 1}}
FOUND = {
    "q1": [("b", 0.1), ("z", 0.1), ("b", 0.1), ("a", 0.1 - 1e-12), ("c", 0.3)],
    "z": [("z", 9.0), ("c", 0.0), ("a", 0.0), ("b", -2.0)],
}
RUN = Run(
    "small",
    Configuration("run"),
    {key: tuple(Retrieved(d, 0, 1, score) for d, score in found) for key, found in FOUND.items()},
    {},
)


def test_a_question_is_not_its_own_answer_unless_judged() -> None:
    assert RUN.ranking("z", GRADES["z"]) == ["c", "a", "b"]
    assert RUN.ranking("z", {"z": 0}) == ["z", "c", "a", "b"]
    assert RUN.ranking("q1", GRADES["q1"]) == ["b", "z", "a", "c"]


def test_trec_eval_judges_the_scores_as_we_judge_the_run(tmp_path: Path) -> None:
    """Equal scores, such as differ by less than it sees, and such as are out of order."""
    written = {key: scores(RUN, key, GRADES[key]) for key in GRADES}
    write_run(tmp_path / "run", written, "tag")
    read = read_run(tmp_path / "run")
    assert {key: ranked(read[key]) for key in read} == {
        key: RUN.ranking(key, GRADES[key]) for key in GRADES
    }
    assert read["q1"]["b"] == pytest.approx(0.1)
    test_set = TestSet("small", (), dict.fromkeys(GRADES, ""), GRADES, {})
    ours = judge(RUN, test_set).values
    theirs = RelevanceEvaluator(GRADES, {"ndcg_cut.10", "map"}).evaluate(read)
    assert {key: one["ndcg_cut_10"] for key, one in theirs.items()} == pytest.approx(
        ours["nDCG@10"]
    )
    assert {key: one["map"] for key, one in theirs.items()} == pytest.approx(ours["MAP"])
