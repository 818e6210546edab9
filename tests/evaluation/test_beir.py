import json
from pathlib import Path
from typing import Any

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
    "line", [b"q1\td1", b"q1 d1 1", b"q1\td1\tone", b"q1\t0\td1\t1", b"\xff\td1\t1"]
)
def test_a_bad_judgement_is_named(folder: Path, line: bytes) -> None:
    (folder / "qrels" / "test.tsv").write_bytes(HEADER.encode() + b"q1\td1\t1\n" + line + b"\n")
    with pytest.raises(DatasetError, match=r"test\.tsv, line 3\b"):
        read_beir(folder)


@pytest.mark.parametrize("qrels", ["", "other\td1\t1\n"])
def test_a_set_without_a_judged_query_measures_nothing(tmp_path: Path, qrels: str) -> None:
    with pytest.raises(DatasetError, match="no query with a judgement"):
        read_beir(write_set(tmp_path, CORPUS, QUERIES, qrels))


def test_judgements_without_a_header_are_all_read(folder: Path) -> None:
    (folder / "qrels" / "test.tsv").write_text("\nq1\td1\t1\n \n\n7\t2\t1\n")
    assert read_beir(folder).qrels == {"q1": {"d1": 1}, "7": {"2": 1}}


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("q1\td1\t1.0\n", "line 1: the grade '1.0' isn't a whole number"),
        ("q1 d1 1\n", "line 1 isn't query, document and grade"),
        ("q1\td1\t1\nq1\td1\t2\n", "line 2: the query has document 'd1' already"),
        ("q1\td1\t1001\n", "line 1: the grade '1001' isn't within -1000 and 1000"),
        (f"q1\td1\t1\nq1\td2\t{'9' * 5000}\n", "line 2: the grade '9{40}' isn't a whole"),
    ],
)
def test_judgements_that_cannot_be_meant(folder: Path, lines: str, problem: str) -> None:
    (folder / "qrels" / "test.tsv").write_text(lines)
    with pytest.raises(DatasetError, match=rf"test\.tsv, {problem}"):
        read_beir(folder)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (entry("d1", "again"), "the `_id` 'd1' is another row's already"),
        ({"_id": None, "text": "a"}, "`_id` is None, not an id"),
        ({"_id": ["d"], "text": "a"}, r"`_id` is \['d'\], not an id"),
        ({"_id": True, "text": "a"}, "`_id` is True, not an id"),
        ({"_id": "", "text": "a"}, "`_id` is '', not an id"),
        ({"_id": "d", "text": None}, "`text` is None, not a text"),
        ({"_id": "d", "text": {"en": "a"}}, "`text` is {'en': 'a'}, not a text"),
        ({"_id": "d", "text": "a", "title": ["b"]}, r"`title` is \['b'\], not a text"),
    ],
)
def test_a_row_of_the_corpus_that_is_not_text(
    tmp_path: Path, row: dict[str, Any], problem: str
) -> None:
    folder = write_set(tmp_path, [*CORPUS, row], QUERIES, QRELS)
    with pytest.raises(DatasetError, match=rf"corpus\.jsonl, line 3: {problem}"):
        read_beir(folder)


@pytest.mark.parametrize("field", ["_id", "text", "title"])
def test_half_a_surrogate_pair_is_named(folder: Path, field: str) -> None:
    row = json.dumps({"_id": "d", "text": "a"} | {field: "\ud800"})
    with (folder / "corpus.jsonl").open("a") as corpus:
        corpus.write(row)
    with pytest.raises(DatasetError, match=f"line 3: `{field}` isn't whole Unicode"):
        read_beir(folder)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (entry("q1", "again"), "line 4: the `_id` 'q1' is another row's already"),
        (entry("q2", " \n"), "line 4: the question 'q2' is empty"),
        (entry("q2", 5), "line 4: `text` is 5, not a text"),  # type: ignore[arg-type]
    ],
)
def test_a_query_that_cannot_be_asked(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    folder = write_set(tmp_path, CORPUS, [*QUERIES, row], QRELS + "q2\td1\t1\n")
    with pytest.raises(DatasetError, match=rf"queries\.jsonl, {problem}"):
        read_beir(folder)


def test_what_cannot_be_measured_is_left_out_and_told(tmp_path: Path) -> None:
    assert read_beir(write_set(tmp_path / "all", CORPUS, QUERIES, QRELS)).note == ""
    qrels = QRELS + "unjudged\td1\t0\ngone\td1\t1\nq1\tgone\t1\n7\tgone\t0\n"
    found = read_beir(write_set(tmp_path / "part", CORPUS, QUERIES, qrels))
    assert found.queries == {"q1": "退货", "7": "lines"}
    assert found.qrels["q1"] == {"d1": 2, "2": 0, "gone": 1}
    assert found.note == (
        "1 query has no relevant document and is left out. "
        "1 judged query isn't in queries.jsonl. "
        "2 judgements name documents that the corpus hasn't got: they count as not found."
    )


def test_a_set_is_named_after_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert read_beir(Path()).name == "set"
