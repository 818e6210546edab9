"""The sample documents are what their sources make, and the questions point at what they quote."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from ingest.parsers import parse
from sample_docs import make
from sample_docs.making.questions import Question, read_questions, to_jsonl

FOLDER = make.HERE
KINDS = (".docx", ".html", ".md", ".pdf", ".txt")
DOCUMENTS = {path.name: path.read_bytes() for path in FOLDER.iterdir() if path.suffix in KINDS}


def questions() -> list[Question]:
    lines = (FOLDER / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [
        Question(**{**fields, "answers": tuple(fields["answers"])})
        for fields in map(json.loads, lines)
    ]


QUESTIONS = questions()
ANSWERABLE = [question for question in QUESTIONS if question.document is not None]
UNANSWERABLE = [question for question in QUESTIONS if question.document is None]


@cache
def text_of(document: str) -> str:
    return parse(DOCUMENTS[document], document).text


def parts(archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def squeezed(text: str) -> str:
    return " ".join(text.split()).lower()


def test_there_are_two_documents_of_every_kind_one_in_each_language() -> None:
    kinds = Counter((Path(name).suffix, is_chinese(name)) for name in DOCUMENTS)
    assert kinds == {(kind, chinese): 1 for kind in KINDS for chinese in (False, True)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_is_read_without_a_warning(document: str) -> None:
    parsed = parse(DOCUMENTS[document], document)
    assert parsed.warnings == ()
    assert parsed.text


@pytest.mark.parametrize(
    ("document", "labels"),
    [
        ("laboratory-safety-protocol.pdf", ["i", "ii", "iii", "1", "2", "3", "4", "5"]),
        ("海岚H3净水器使用说明书.pdf", ["i", "ii", "1", "2", "3", "4", "5"]),
    ],
)
def test_a_pdf_has_labels_headings_and_a_title(document: str, labels: list[str]) -> None:
    parsed = parse(DOCUMENTS[document], document)
    assert [page.label for page in parsed.pages] == labels
    assert {heading.level for heading in parsed.headings} >= {1, 2}
    assert parsed.title


@pytest.mark.parametrize("question", ANSWERABLE, ids=lambda question: question.id)
def test_a_quote_is_what_its_span_says_and_holds_an_answer(question: Question) -> None:
    assert question.document is not None
    assert question.quote
    assert text_of(question.document)[question.start : question.end] == question.quote
    if not question.cross:
        said = squeezed(question.quote)
        assert any(squeezed(answer) in said for answer in question.answers)


def test_ids_and_questions_are_unique() -> None:
    assert len({question.id for question in QUESTIONS}) == len(QUESTIONS)
    assert len({question.question for question in QUESTIONS}) == len(QUESTIONS)


def test_every_document_is_asked_about_in_its_own_language() -> None:
    asked = Counter(question.document for question in ANSWERABLE if not question.cross)
    assert asked.keys() == DOCUMENTS.keys()
    assert min(asked.values()) >= 4
    assert asked.total() >= 44
    for question in ANSWERABLE:
        own = (question.language == "zh") == is_chinese(question.document or "")
        assert own != question.cross


def test_ten_questions_have_no_answer() -> None:
    assert Counter(question.language for question in UNANSWERABLE) == {"en": 5, "zh": 5}
    for question in UNANSWERABLE:
        assert question.answers == ()
        assert (question.start, question.end, question.quote) == (None, None, None)


def test_the_demo_asks_in_both_languages_and_once_in_vain() -> None:
    demo = [question for question in QUESTIONS if question.demo]
    assert 5 <= len(demo) <= 7
    assert {question.language for question in demo} == {"en", "zh"}
    assert sum(question.document is None for question in demo) == 1


def test_the_questions_are_what_their_sources_resolve_to() -> None:
    resolved = to_jsonl(read_questions(make.SOURCES, DOCUMENTS))
    assert resolved == (FOLDER / "questions.jsonl").read_bytes()


def test_word_documents_are_what_their_sources_make() -> None:
    for name, data in make.make_word():
        assert parts(data) == parts(DOCUMENTS[name])


def test_the_english_pdf_is_what_its_source_makes() -> None:
    for name, data in make.make_english_pdf():
        assert data == DOCUMENTS[name]


@pytest.mark.skipif(not make.CJK_FONT.is_file(), reason=f"needs {make.CJK_FONT_PACKAGE}")
def test_the_script_writes_the_chinese_pdf_and_the_questions_again(tmp_path: Path) -> None:
    make.main(["--into", str(tmp_path)])
    for name in ("海岚H3净水器使用说明书.pdf", "questions.jsonl"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


def test_without_its_font_the_script_names_the_package(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        make.main(["--into", str(tmp_path), "--cjk-font", str(tmp_path / "none.ttf")])
    assert make.CJK_FONT_PACKAGE in capsys.readouterr().err


def test_a_quote_that_is_not_in_its_document_is_refused(tmp_path: Path) -> None:
    entry = '[[question]]\nid = "lost"\nquestion = "?"\ndocument = "a.txt"\nquote = "four"\n'
    (tmp_path / "questions-en.toml").write_text(entry, encoding="utf-8")
    with pytest.raises(ValueError, match=r"'lost' is in its document 0 times"):
        list(read_questions(tmp_path, {"a.txt": b"one two three"}))


@pytest.mark.parametrize("made", [make.make_word, make.make_english_pdf])
def test_made_twice_a_document_has_the_same_bytes(
    made: Callable[[], Iterator[tuple[str, bytes]]],
) -> None:
    assert list(made()) == list(made())
