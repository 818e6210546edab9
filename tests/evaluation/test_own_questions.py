import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.errors import DatasetError
from evaluation.own_questions import feedback_set, given_set, read_own_questions
from evaluation.span_metrics import Span
from tests.evaluation.own import TEXTS, filled, said
from tests.retrieval.library import Library

SHIPPING = "运费 险"
CLAIM = "运费险的理赔时限是七天，逾期不予受理。"


def written(folder: Path, *rows: Any) -> Path:
    path = folder / "问题.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def test_a_file_names_documents_by_uri_or_id(library: Library, tmp_path: Path) -> None:
    kb = filled(library)
    start = TEXTS[SHIPPING].index(CLAIM)
    tea = library.engine.documents.named(kb, "tea")
    path = written(
        tmp_path,
        {
            "question": "运费险多久理赔？",
            "document": SHIPPING,
            "start": start,
            "end": start + len(CLAIM),
        },
        {"id": 7, "question": "When is tea?", "document": tea, "start": None},
        {"id": 7, "question": "When is tea?", "document": "warranty"},
        {"question": "运费险多久理赔？ ", "document": "tea"},
    )
    found = given_set(library.engine, kb, read_own_questions(path))
    shipping, seven = found.questions
    assert (found.name, found.document_count, found.documents) == ("library, questions", 3, ())
    assert (seven, found.questions[seven]) == ("7", "When is tea?")
    assert found.grades == {shipping: {SHIPPING: 1, "tea": 1}, "7": {"tea": 1, "warranty": 1}}
    assert found.gold == {shipping: (Span(SHIPPING, start, start + len(CLAIM)),)}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"question": "a"}, "line 2: `question` or `document` is missing"),
        ({"question": "a", "document": 5}, "line 2: `question` and `document` are texts"),
        ({"question": "a", "document": "gone"}, "line 2: .*'library' has no document 'gone'"),
        ({"question": "a", "document": "\ud800"}, "line 2: .*surrogates not allowed"),
        ({"question": "\ud800", "document": "tea"}, "line 2: .*isn't whole Unicode"),
        ({"question": " ", "document": "tea"}, "line 2: The query is empty"),
        ({"question": "a", "document": "tea", "start": "1", "end": 2}, "line 2: .*not '1', 2"),
        ({"question": "a", "document": "tea", "start": True, "end": 2}, "line 2: .*whole numbers"),
        ({"question": "a", "document": "tea", "start": 1}, "line 2: .*give both"),
        ({"question": "a", "document": "tea", "start": 1, "end": 999}, "line 2: 1 to 999 isn't"),
        ({"id": "x", "question": "b", "document": "tea"}, "line 2: the id 'x' is another"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(
    library: Library, tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    kb = filled(library)
    path = written(tmp_path, {"id": "x", "question": "When is tea?", "document": "tea"}, row)
    with pytest.raises(DatasetError, match=rf"问题\.jsonl, {message}"):
        given_set(library.engine, kb, read_own_questions(path))


def test_no_question_is_an_error(library: Library, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no question to measure 'library' with"):
        given_set(library.engine, library.kb, read_own_questions(written(tmp_path)))
    with pytest.raises(DatasetError, match="can't be read"):
        read_own_questions(tmp_path / "nothing.jsonl")


def test_feedback_on_a_question_is_merged(library: Library) -> None:
    kb = filled(library)
    said(library, "运费险多久理赔？", SHIPPING, CLAIM)
    said(library, "运费险多久理赔？\n", SHIPPING, CLAIM)
    said(library, " 运费险多久理赔？", SHIPPING, "请拨热线。", helpful=False)
    said(library, "运费险多久理赔？", "warranty", helpful=False)
    said(library, "When is tea?", "tea")
    said(library, "Who bakes?", "tea", helpful=False)
    found = feedback_set(library.engine, kb)
    by_text = {text.strip(): key for key, text in found.questions.items()}
    assert by_text.keys() == {"运费险多久理赔？", "When is tea?"}
    shipping, tea = by_text["运费险多久理赔？"], by_text["When is tea?"]
    assert found.grades == {shipping: {SHIPPING: 1, "warranty": 0}, tea: {"tea": 1}}
    start = TEXTS[SHIPPING].index(CLAIM)
    assert found.gold == {shipping: (Span(SHIPPING, start, start + len(CLAIM)),)}
    assert "favours" in found.note


def test_a_span_of_an_earlier_version_is_no_gold(library: Library) -> None:
    kb = filled(library)
    said(library, "运费险多久理赔？", SHIPPING, CLAIM)
    library.add(SHIPPING, "新规：运费险的理赔时限是十天。")
    found = feedback_set(library.engine, kb)
    [key] = found.questions
    assert found.grades == {key: {SHIPPING: 1}}
    assert found.gold == {}


def test_feedback_without_a_helpful_document_is_too_little(library: Library) -> None:
    kb = filled(library)
    for _ in range(2):
        with pytest.raises(DatasetError, match=r"No feedback on 'library' says .* questions of a"):
            feedback_set(library.engine, kb)
        said(library, "When is tea?", "warranty", helpful=False)
