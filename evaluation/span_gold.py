"""Sets with span gold: documents, and questions with the spans of them that answer.

A folder with `questions.jsonl` and the documents. A row has `id`, `question`, and `doc_id` with
`start` and `end`, or `spans`: a list of `[start, end]` in that document, or of `{"document",
"start", "end"}`. Offsets count code points of the texts as the set gives them: line ends aren't
changed, nor is anything else.

The documents are the files of `docs/`, or of `truth/` where a set has the exact texts of its
files, or else the rows of a `corpus.jsonl` in BEIR's layout. A file's id is its name without the
last extension, or with it where two would have the same; questions may use either.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.beir import Entry, numbered_rows, read_corpus
from evaluation.errors import DatasetError
from evaluation.fields import id_in, question_in, whole
from evaluation.span_metrics import Span

_FOLDERS = ("docs", "truth")


@dataclass(frozen=True, slots=True)
class SpanQuestion:
    """A question and the spans that answer it; where there are none, nothing does."""

    id: str
    question: str
    gold: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SpanSet:
    """Documents, each with an id that the gold of the questions names."""

    name: str
    documents: tuple[Entry, ...]
    questions: tuple[SpanQuestion, ...]


def read_span_set(folder: Path) -> SpanSet:
    """The set in a folder, its spans checked against the texts.

    A row with answers and no span is left out: something answers it, but the set doesn't say
    where. Raises DatasetError, also where a span isn't within its document, or where there are
    answers and none of the spans is one of them.
    """
    documents = _documents(folder)
    by_name = documents | {entry.id: entry for entry in documents.values()}
    questions = tuple(_questions(folder / "questions.jsonl", by_name))
    if not questions:
        raise DatasetError(f"{folder} has no question that says where its answer is, or has none.")
    return SpanSet(folder.resolve().name, tuple(documents.values()), questions)


def _documents(folder: Path) -> dict[str, Entry]:
    """The documents by file name, or by id where they are rows."""
    for name in _FOLDERS:
        if (folder / name).is_dir():
            return _files(folder / name)
    return {entry.id: entry for entry in read_corpus(folder / "corpus.jsonl")}


def _files(folder: Path) -> dict[str, Entry]:
    paths = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    stems = Counter(path.stem for path in paths)
    found: dict[str, Entry] = {}
    for path in paths:
        key = whole(path.stem if stems[path.stem] == 1 else path.name, "name", repr(str(path)))
        found[path.name] = Entry(key, "", _text(path))
    ids = Counter(entry.id for entry in found.values())
    if twice := [key for key, count in ids.items() if count > 1]:
        raise DatasetError(f"{folder}: two files would both be {twice[0]!r} without extension.")
    return found


def _text(path: Path) -> str:
    """A file's text, not by `read_text`: that changes line ends, and so the offsets."""
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} isn't UTF-8: {error}.") from error


def _questions(path: Path, by_name: Mapping[str, Entry]) -> Iterator[SpanQuestion]:
    seen: set[str] = set()
    for number, row in numbered_rows(path, "id", "question"):
        place = f"{path}, line {number}"
        key = id_in(row, "id", place)
        if key in seen:
            raise DatasetError(f"{place}: the id {key!r} is another question's already.")
        seen.add(key)
        question = question_in(row, "question", place, key)
        gold = tuple(_span(given, row, by_name, place) for given in _given(row))
        quotes = [by_name[span.document].text[span.start : span.end] for span in gold]
        answers = row.get("answers") or []
        if quotes and answers and not any(quote in answers for quote in quotes):
            raise DatasetError(f"{place}: the spans say {quotes}, and none of that is an answer.")
        if quotes or not answers:
            yield SpanQuestion(key, question, gold)


def _given(row: Mapping[str, Any]) -> list[Any]:
    """The spans as the row has them, whatever they are."""
    given = row.get("spans") or [[row.get("start"), row.get("end")]]
    return [] if given == [[None, None]] else given if isinstance(given, list) else [given]


def _span(given: Any, row: Mapping[str, Any], by_name: Mapping[str, Entry], place: str) -> Span:
    match given:
        case [int(start), int(end)] if "doc_id" in row:
            name = str(row["doc_id"])
        case {"document": document, "start": int(start), "end": int(end)}:
            name = str(document)
        case _:
            raise DatasetError(f"{place}: {given!r} isn't a span, or its document isn't named.")
    if name not in by_name:
        raise DatasetError(f"{place}: there is no document {name!r}.")
    entry = by_name[name]
    if not 0 <= start < end <= len(entry.text):
        raise DatasetError(
            f"{place}: {start} to {end} isn't a span of {name!r}, of {len(entry.text)} code points."
        )
    return Span(entry.id, start, end)
