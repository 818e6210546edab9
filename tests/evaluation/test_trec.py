from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytrec_eval import RelevanceEvaluator, parse_qrel, parse_run

from evaluation.errors import DatasetError
from evaluation.trec import ranked, read_qrels, read_run, write_run

IDS = st.text("aZ09é退�🙂_#\u3000", min_size=1, max_size=3)
SCORES = st.dictionaries(IDS, st.sampled_from([-2.0, 0.0, 0.5, 3.0]), min_size=1, max_size=8)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_qrels_are_read(path: Path) -> None:
    path.write_bytes("q1 0 d1 2\nq1\t0  d2 \t0 \r\n\n退货 Q0 文\u3000件 -1\nq1 0 d3 1".encode())
    assert read_qrels(path) == {"q1": {"d1": 2, "d2": 0, "d3": 1}, "退货": {"文\u3000件": -1}}


def test_a_run_is_read_and_its_ranks_are_not_looked_at(path: Path) -> None:
    path.write_bytes(b"q1 Q0 d1 1 0.5 tag\nq1 Q0 d2 2 1e3 tag\n \nq2 Q0 d1 1 -7 tag\r\n")
    run = read_run(path)
    assert run == {"q1": {"d1": 0.5, "d2": 1000.0}, "q2": {"d1": -7.0}}
    assert ranked(run["q1"]) == ["d2", "d1"]


def test_a_run_is_written_in_the_order_of_its_ranking(path: Path) -> None:
    write_run(path, {"q1": {"a": 0.5, "c": 2, "b": 0.5}, "none": {}, "退": {"文": -1e-9}}, "ours")
    assert path.read_bytes().decode().split("\n") == [
        "q1 Q0 c 1 2.0 ours",
        "q1 Q0 b 2 0.5 ours",
        "q1 Q0 a 3 0.5 ours",
        "退 Q0 文 1 -1e-09 ours",
        "",
    ]


@settings(max_examples=60)
@given(st.dictionaries(IDS, st.dictionaries(IDS, st.floats(-1e9, 1e9), min_size=1), min_size=1))
def test_what_is_written_is_read_again_also_by_others(
    tmp_path_factory: pytest.TempPathFactory, run: dict[str, dict[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("run") / "file"
    write_run(path, run, "tag")
    assert read_run(path) == run
    if "\u3000" not in path.read_text(encoding="utf-8"):  # white space to Python's `split`
        assert parse_run(path.read_text(encoding="utf-8").split("\n")[:-1]) == run


def test_qrels_are_read_as_by_others(path: Path) -> None:
    lines = ["q1 0 d1 2\n", "q2 0 d1 0\n", "q1 0 d2 -1\n"]
    path.write_text("".join(lines))
    assert read_qrels(path) == parse_qrel(lines)


@settings(max_examples=100)
@given(SCORES)
def test_ties_are_broken_as_by_trec_eval(scores: dict[str, float]) -> None:
    """The rank that it gives each document is seen where no other is relevant."""
    qrels = {document: {document: 1} for document in scores}
    found = RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(dict.fromkeys(scores, scores))
    theirs = sorted(scores, key=lambda document: 1 / found[document]["recip_rank"])
    assert ranked(scores) == theirs


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"q1 0 d1", "has 3 fields, not those of `query 0 document grade`"),
        (b"q1 0 d1 1 x", "has 5 fields"),
        (b"q1 0 d1 1.5", "the grade '1.5' isn't a whole number"),
        (b"q1 0 d1 one", "the grade 'one' isn't a whole number"),
        (b"q1 0 d1 -1001", "the grade '-1001' isn't within -1000 and 1000"),
        (b"q1 0 d0 1", "the query has document 'd0' already"),
        (b"q1 0 \xff 1", "isn't UTF-8"),
    ],
)
def test_a_bad_judgement_is_named(path: Path, line: bytes, problem: str) -> None:
    path.write_bytes(b"q1 0 d0 1\n" + line + b"\nq1 0 d9 1\n")
    with pytest.raises(DatasetError, match=f"file, line 2.*{problem}"):
        read_qrels(path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"q1 Q0 d1 1 0.5", "has 5 fields, not those of `query Q0 document rank score tag`"),
        (b"q1 Q0 d1 1 0.5 a tag", "has 7 fields"),
        (b"q1 Q0 d1 1 high tag", "the score 'high' isn't a number"),
        (b"q1 Q0 d1 1 nan tag", "the score 'nan' isn't finite"),
        (b"q1 Q0 d1 1 -inf tag", "the score '-inf' isn't finite"),
        (b"q1 Q0 d0 2 0.5 tag", "the query has document 'd0' already"),
    ],
)
def test_a_bad_line_of_a_run_is_named(path: Path, line: bytes, problem: str) -> None:
    path.write_bytes(b"q1 Q0 d0 1 9 tag\n" + line + b"\n")
    with pytest.raises(DatasetError, match=f"file, line 2.*{problem}"):
        read_run(path)


def test_a_file_that_is_missing(path: Path) -> None:
    with pytest.raises(DatasetError, match="can't be read: No such file"):
        read_run(path)
    with pytest.raises(DatasetError, match="can't be read: No such file"):
        read_qrels(path)


@pytest.mark.parametrize(
    ("query", "document", "tag"),
    [
        ("q 1", "d", "t"),
        ("q", "a file.md", "t"),
        ("q", "d", "my run"),
        ("", "d", "t"),
        ("q", "d", "\n"),
    ],
)
def test_what_would_not_be_read_again_is_not_written(
    path: Path, query: str, document: str, tag: str
) -> None:
    with pytest.raises(DatasetError, match="can't be a field"):
        write_run(path, {"q0": {"d": 1.0}, query: {document: 0.5}}, tag)
    assert not path.exists()
