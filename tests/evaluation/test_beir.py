from pathlib import Path

import pytest

from evaluation.beir import Entry, read_beir
from evaluation.errors import DatasetError
from tests.evaluation.sets import HEADER, entry, write_set

CORPUS = [entry("d1", "退货需七天。", title="退货 🙂"), entry(2, "Two\u2028lines.", title=None)]
QUERIES = [entry("q1", "退货"), entry(7, "lines"), entry("unjudged", "?")]
QRELS = "q1\td1\t2\nq1\t2\t0\n7\t2\t1\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path / "set", CORPUS, QUERIES, QRELS)


def test_a_set_is_read(folder: Path) -> None:
    found = read_beir(folder)
    assert found.name == "set"
    assert found.corpus == (
        Entry("d1", "退货 🙂", "退货需七天。"),
        Entry("2", "", "Two\u2028lines."),
    )
    assert found.queries == {"q1": "退货", "7": "lines"}
    assert found.qrels == {"q1": {"d1": 2, "2": 0}, "7": {"2": 1}}


def test_line_ends_of_other_systems_and_a_missing_last_one(folder: Path) -> None:
    for path in (folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        path.write_bytes(path.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
    assert read_beir(folder).qrels == {"q1": {"d1": 2, "2": 0}, "7": {"2": 1}}
    assert len(read_beir(folder).corpus) == 2


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_file_that_is_missing_or_a_folder(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=rf"{name} can't be read: No such file"):
        read_beir(folder)
    (folder / name).mkdir()
    with pytest.raises(DatasetError, match=rf"{name} can't be read: Is a directory"):
        read_beir(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "isn't JSON"),
        (b"", "isn't JSON"),
        (b'{"_id": "x"}', "`_id` or `text` is missing"),
        (b'{"text": "x"}', "`_id` or `text` is missing"),
        (b'["_id", "text"]', "`_id` or `text` is missing"),
        (b'"_id text"', "`_id` or `text` is missing"),
        (b"5", "`_id` or `text` is missing"),
        (b'{"_id": "\xff"}', "isn't UTF-8"),
    ],
)
def test_a_bad_line_is_named(folder: Path, name: str, line: bytes, problem: str) -> None:
    path = folder / name
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first + b"\n" + line + b"\n" + rest)
    with pytest.raises(DatasetError, match=rf"{name}, line 2\b.*{problem}"):
        read_beir(folder)


@pytest.mark.parametrize(
    "line", [b"q1\td1", b"q1 d1 1", b"q1\td1\tone", b"q1\t0\td1\t1", b"", b"\xff\td1\t1"]
)
def test_a_bad_judgement_is_named(folder: Path, line: bytes) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(HEADER.encode() + b"q1\td1\t1\n" + line + b"\n")
    with pytest.raises(DatasetError, match=r"test\.tsv, line 3\b"):
        read_beir(folder)


@pytest.mark.parametrize("qrels", ["", "other\td1\t1\n"])
def test_a_set_without_a_judged_query_measures_nothing(tmp_path: Path, qrels: str) -> None:
    with pytest.raises(DatasetError, match="no query with a judgement"):
        read_beir(write_set(tmp_path, CORPUS, QUERIES, qrels))
