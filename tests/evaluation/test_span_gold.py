from pathlib import Path
from typing import Any

import pytest

from evaluation.beir import Entry
from evaluation.errors import DatasetError
from evaluation.span_gold import SpanQuestion, SpanSet, read_span_set
from evaluation.span_metrics import Span
from tests.evaluation.sets import entry, lines

ONE = "🙂 Leave is 25 days.\r\nIt expires."
TWO = "退货需要在七天内提出申请。\u2028第二段。"


def row(key: str = "q", **more: Any) -> dict[str, Any]:
    return {"id": key, "question": f"{key}?", **more}


def write_questions(folder: Path, *rows: dict[str, Any]) -> None:
    (folder / "questions.jsonl").write_text(lines(*rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set without questions yet, whose documents are files."""
    docs = tmp_path / "set" / "docs"
    docs.mkdir(parents=True)
    (docs / "one.md").write_bytes(ONE.encode())
    (docs / "退货 2.0.txt").write_bytes(TWO.encode())
    (docs / ".hidden").write_bytes(b"\xff")
    (docs / "images").mkdir()
    return tmp_path / "set"


def test_a_set_whose_documents_are_files(folder: Path) -> None:
    write_questions(
        folder,
        row("days", answers=["25 days", "25"], doc_id="one", start=11, end=18, ambiguous=True),
        row("both", answers=["七天", "第二段"], doc_id="退货 2.0", spans=[[5, 7], [14, 17]]),
        row("across", spans=[{"document": "one.md", "start": 0, "end": len(ONE)}]),
    )
    assert read_span_set(folder) == SpanSet(
        "set",
        (Entry("one", "", ONE), Entry("退货 2.0", "", TWO)),
        (
            SpanQuestion("days", "days?", (Span("one", 11, 18),)),
            SpanQuestion("both", "both?", (Span("退货 2.0", 5, 7), Span("退货 2.0", 14, 17))),
            SpanQuestion("across", "across?", (Span("one", 0, len(ONE)),)),
        ),
    )


def test_a_set_whose_documents_are_rows(tmp_path: Path) -> None:
    corpus = lines(entry("d1", ONE, title="Leave"), entry(2, TWO))
    (tmp_path / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    spans = [{"document": "d1", "start": 2, "end": 7}, {"document": 2, "start": 0, "end": 2}]
    write_questions(tmp_path, row(doc_id=2, start=0, end=2), row("r", spans=spans))
    found = read_span_set(tmp_path)
    assert found.documents == (Entry("d1", "Leave", ONE), Entry("2", "", TWO))
    assert [question.gold for question in found.questions] == [
        (Span("2", 0, 2),),
        (Span("d1", 2, 7), Span("2", 0, 2)),
    ]


def test_the_true_texts_of_files_are_named_after_them(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "手册.pdf.txt").write_bytes(TWO.encode())
    write_questions(tmp_path, row(doc_id="手册.pdf", start=5, end=7, answers=["七天"]))
    assert read_span_set(tmp_path).questions[0].gold == (Span("手册.pdf", 5, 7),)


def test_files_that_differ_only_in_their_extension_are_told_apart_by_it(folder: Path) -> None:
    (folder / "docs" / "one.txt").write_bytes(TWO.encode())
    write_questions(folder, row(doc_id="one.txt", start=5, end=7, answers=["七天"]))
    found = read_span_set(folder)
    assert [document.id for document in found.documents] == ["one.md", "one.txt", "退货 2.0"]
    assert found.questions[0].gold == (Span("one.txt", 5, 7),)
    write_questions(folder, row(doc_id="one", start=5, end=7))
    with pytest.raises(DatasetError, match="line 1: there is no document 'one'"):
        read_span_set(folder)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"doc_id": "one", "answers": []},
        {"doc_id": None, "start": None, "end": None, "answers": None},
        {"doc_id": "one", "spans": []},
        {"spans": None},
    ],
)
def test_a_question_that_nothing_answers_has_no_gold(folder: Path, given: dict[str, Any]) -> None:
    write_questions(folder, row(**given))
    assert read_span_set(folder).questions == (SpanQuestion("q", "q?", ()),)


def test_a_question_whose_answer_was_not_located_is_left_out(folder: Path) -> None:
    unlocated = row("lost", answers=["30 days"], doc_id="one", start=None, end=None)
    write_questions(folder, unlocated, row("none", answers=[]))
    assert [question.id for question in read_span_set(folder).questions] == ["none"]
    write_questions(folder, unlocated)
    with pytest.raises(DatasetError, match="set has no question that"):
        read_span_set(folder)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {"doc_id": "one", "start": 3, "end": len(ONE) + 1},
            "3 to 33 isn't a span of 'one', of 32",
        ),
        ({"doc_id": "one", "start": -1, "end": 3}, "-1 to 3 isn't a span"),
        ({"doc_id": "one", "start": 3, "end": 3}, "3 to 3 isn't a span"),
        ({"doc_id": "one", "spans": [[0, 3], [9, 4]]}, "9 to 4 isn't a span"),
        ({"doc_id": "three", "start": 0, "end": 3}, "there is no document 'three'"),
        ({"start": 0, "end": 3}, r"\[0, 3\] isn't a span, or its document isn't named"),
        ({"doc_id": "one", "start": 3}, r"\[3, None\] isn't a span"),
        ({"doc_id": "one", "end": 3}, r"\[None, 3\] isn't a span"),
        ({"doc_id": "one", "start": "0", "end": "3"}, r"\['0', '3'\] isn't a span"),
        ({"doc_id": "one", "spans": [3]}, "3 isn't a span"),
        ({"doc_id": "one", "spans": 3}, "3 isn't a span"),
        ({"spans": [{"document": "one", "start": 1}]}, "'start': 1} isn't a span"),
        (
            {"doc_id": "one", "start": 11, "end": 17, "answers": ["25 days", "25"]},
            r"the spans say \['25 day'\], and none of that is an answer",
        ),
    ],
)
def test_a_bad_row_is_named(folder: Path, given: dict[str, Any], problem: str) -> None:
    write_questions(folder, row(), row("bad", **given))
    with pytest.raises(DatasetError, match=rf"questions\.jsonl, line 2: .*{problem}"):
        read_span_set(folder)


def test_one_span_that_is_an_answer_is_enough(folder: Path) -> None:
    spans = [[11, 18], [2, 7]]
    write_questions(folder, row(doc_id="one", spans=spans, answers=["25 days"]))
    assert len(read_span_set(folder).questions[0].gold) == 2


@pytest.mark.parametrize("line", ["{", "5", '{"id": "q"}', '{"question": "q"}'])
def test_a_line_that_is_no_question_is_named(folder: Path, line: str) -> None:
    (folder / "questions.jsonl").write_text(lines(row()) + line + "\n")
    with pytest.raises(DatasetError, match=r"questions\.jsonl, line 2"):
        read_span_set(folder)


def test_what_is_missing_or_not_text_is_named(folder: Path) -> None:
    with pytest.raises(DatasetError, match=r"questions\.jsonl can't be read: No such file"):
        read_span_set(folder)
    (folder / "docs" / "bad.md").write_bytes(b"\xff")
    with pytest.raises(DatasetError, match=r"bad\.md isn't UTF-8"):
        read_span_set(folder)
    with pytest.raises(DatasetError, match=r"corpus\.jsonl can't be read: No such file"):
        read_span_set(folder.parent)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([row(), row()], "line 2: the id 'q' is another question's already"),
        ([{"id": None, "question": "?"}], "line 1: `id` is None, not an id"),
        ([{"id": 1, "question": None}], "line 1: `question` is None, not a text"),
        ([{"id": 1, "question": "\t"}], "line 1: the question '1' is empty"),
    ],
)
def test_a_question_that_cannot_be_asked(
    folder: Path, rows: list[dict[str, Any]], problem: str
) -> None:
    write_questions(folder, *rows)
    with pytest.raises(DatasetError, match=rf"questions\.jsonl, {problem}"):
        read_span_set(folder)


def test_half_a_surrogate_pair_is_named(folder: Path) -> None:
    (folder / "questions.jsonl").write_text(r'{"id": "q", "question": "\ud800"}')
    with pytest.raises(DatasetError, match="line 1: `question` isn't whole Unicode"):
        read_span_set(folder)


def test_two_files_of_one_id(folder: Path) -> None:
    for name in ("a.b", "a.b.txt", "a.c"):
        (folder / "docs" / name).write_bytes(b"text")
    write_questions(folder, row())
    with pytest.raises(DatasetError, match=r"two files would both be 'a\.b'"):
        read_span_set(folder)


def test_a_set_is_named_after_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_questions(folder, row())
    monkeypatch.chdir(folder)
    assert read_span_set(Path()).name == "set"
