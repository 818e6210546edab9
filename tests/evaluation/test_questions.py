from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import DatasetError
from evaluation.questions import SampleQuestion, read_questions
from tests.evaluation.sets import lines

ROW: dict[str, Any] = {
    "id": "q1",
    "question": "退货要几天？🙂",
    "language": "zh",
    "answers": ["七天"],
    "document": "退货.md",
    "start": 3,
    "end": 9,
    "demo": True,
    "more": "is ignored",
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def test_questions_are_read_in_order(path: Path) -> None:
    without = {**ROW, "id": "q2", "document": None, "start": None, "end": None}
    del without["demo"]
    path.write_text(lines(ROW, without), encoding="utf-8")
    asked = "退货要几天？🙂"
    assert read_questions(path) == [
        SampleQuestion("q1", asked, "zh", ("七天",), "退货.md", 3, 9, True),
        SampleQuestion("q2", asked, "zh", ("七天",), None, None, None, False),
    ]


def test_no_lines_are_no_questions(path: Path) -> None:
    path.touch()
    assert read_questions(path) == []


def test_a_path_that_cannot_be_read(path: Path) -> None:
    with pytest.raises(DatasetError, match=r"questions\.jsonl can't be read: No such file"):
        read_questions(path)
    with pytest.raises(DatasetError, match="can't be read: Is a directory"):
        read_questions(path.parent)


@pytest.mark.parametrize("line", ["{", "", "[]", "5", "null", '"id"', '{"id": "q"}', "\udcff"])
def test_a_bad_line_is_named(path: Path, line: str) -> None:
    good = lines(ROW).encode()
    path.write_bytes(good + line.encode(errors="surrogateescape") + b"\n" + good)
    with pytest.raises(DatasetError, match=r"questions\.jsonl, line 2\b"):
        read_questions(path)


@pytest.mark.parametrize("field", ["id", "question", "language", "answers", "document", "end"])
def test_a_missing_field_is_named(path: Path, field: str) -> None:
    path.write_text(lines({key: value for key, value in ROW.items() if key != field}))
    with pytest.raises(DatasetError, match=rf"line 1: .*{field}"):
        read_questions(path)
