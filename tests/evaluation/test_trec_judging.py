from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytrec_eval import RelevanceEvaluator

from evaluation.errors import ConfigurationError, DatasetError
from evaluation.trec import write_run
from evaluation.trec_judging import judge_files, qrels_set

IDS = st.sampled_from([f"{n}" for n in range(12)])  # queries and documents are both numbered
QRELS = st.dictionaries(
    IDS,
    st.dictionaries(IDS, st.integers(0, 3), min_size=1).map(lambda of: of | {"0": 1}),
    min_size=1,
)
SCORES = st.dictionaries(IDS, st.dictionaries(IDS, st.sampled_from([-1.0, 0.5, 2.0]), min_size=1))
THEIRS = {
    "nDCG@10": "ndcg_cut_10",
    "recall@10": "recall_10",
    "recall@100": "recall_100",
    "MAP": "map",
    "P@5": "P_5",
    "hit@1": "success_1",
}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@settings(max_examples=60)
@given(QRELS, SCORES)
def test_files_are_judged_as_by_trec_eval(
    tmp_path_factory: pytest.TempPathFactory,
    qrels: dict[str, dict[str, int]],
    scores: dict[str, dict[str, float]],
) -> None:
    folder = tmp_path_factory.mktemp("files")
    rows = (f"{q} 0 {d} {grade}\n" for q, of in qrels.items() for d, grade in of.items())
    path = written(folder / "qrels.txt", "".join(rows))
    write_run(folder / "a.run", scores, "tag")
    _, [judged] = judge_files(qrels_set(path), [folder / "a.run"])
    theirs = RelevanceEvaluator(qrels, set(THEIRS.values())).evaluate(scores)
    for ours, name in THEIRS.items():
        expected = {key: theirs[key][name] if key in theirs else 0.0 for key in qrels}
        assert judged.values[ours] == pytest.approx(expected)


def test_queries_without_a_relevant_document_are_left_out(tmp_path: Path) -> None:
    qrels = written(tmp_path / "qrels", "a 0 d 1\nb 0 d 0\nc 0 d -1\n")
    run = written(tmp_path / "run", "b Q0 d 1 1 t\n")
    found, [judged] = judge_files(qrels_set(qrels), [run])
    assert list(found.questions) == ["a"]
    assert found.note == (
        "2 queries have no relevant document and are left out. "
        "1 query isn't in run: it counts as 0."
    )
    assert judged.values["MAP"] == {"a": 0.0}
    with pytest.raises(DatasetError, match="none has no query with a relevant document"):
        qrels_set(written(tmp_path / "none", "a 0 d 0\n"))


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    test_set = qrels_set(written(tmp_path / "qrels", "a 0 d 1\n"))
    paths = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        paths.append(written(folder / "a.run", "a Q0 d 1 1 t\n"))
    _, judged = judge_files(test_set, paths)
    assert [one.run.configuration.name for one in judged] == list(map(str, paths))
    with pytest.raises(ConfigurationError, match="names of their own"):
        judge_files(test_set, [paths[0], paths[0]])
