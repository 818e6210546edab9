"""Questions that people have about a knowledge base of their own, as a set to measure it with.

They are given, in a file or by a client, or taken from feedback. The set names documents by uri
and lists none: it is measured where it stands, in the live knowledge base.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.beir import numbered_rows
from evaluation.errors import DatasetError
from evaluation.span_metrics import Span
from evaluation.test_set import TestSet
from retrieval.engine import Engine
from retrieval.errors import DocumentNotFound, InvalidRequest
from retrieval.feedback import check_span
from retrieval.search import Query
from retrieval.types import DocumentSummary, KnowledgeBase

_FEEDBACK_NOTE = (
    "The questions are those of the feedback. It is given on what was found, so it favours the "
    "way of searching that found it: what nobody was shown counts as wrong."
)


@dataclass(frozen=True, slots=True)
class OwnQuestion:
    """A question and a document, by uri or id, that answers it, in a span of it if that is known.

    Several with one id, or without any and with one text, are one question with several answers.
    `place` says where it was given, for messages.
    """

    place: str
    question: str
    document: str
    start: int | None = None
    end: int | None = None
    id: str | None = None


@dataclass(slots=True)
class _Judged:
    """What is known of one question."""

    text: str
    grades: dict[str, int] = field(default_factory=dict)
    gold: list[Span] = field(default_factory=list)

    def add(self, uri: str, grade: int, start: int | None, end: int | None) -> None:
        """Take a document in; it keeps the highest grade that it gets."""
        self.grades[uri] = max(grade, self.grades.get(uri, 0))
        if grade and start is not None and end is not None:
            self.gold.append(Span(uri, start, end))


def read_own_questions(path: Path) -> list[OwnQuestion]:
    """Those of a JSONL file: rows of `question`, `document`, and maybe `start`, `end` and `id`.

    Raises DatasetError.
    """
    return [
        _question(f"{path}, line {number}", row)
        for number, row in numbered_rows(path, "question", "document")
    ]


def _question(place: str, row: Mapping[str, Any]) -> OwnQuestion:
    question, document, key = row["question"], row["document"], row.get("id")
    start, end = row.get("start"), row.get("end")
    if not isinstance(question, str) or not isinstance(document, str):
        raise DatasetError(f"{place}: `question` and `document` are texts.")
    if not all(one is None or type(one) is int for one in (start, end)):
        raise DatasetError(f"{place}: `start` and `end` are whole numbers, not {start!r}, {end!r}.")
    return OwnQuestion(place, question, document, start, end, None if key is None else str(key))


def write_own_questions(path: Path, test_set: TestSet) -> None:
    """A file that `read_own_questions` reads: the answers of a set, a row each. Raises OSError."""
    with path.open("w", encoding="utf-8") as file:
        for row in _rows(test_set):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _rows(test_set: TestSet) -> Iterator[dict[str, Any]]:
    for key, question in test_set.questions.items():
        row = {"id": key, "question": question}
        spans = test_set.gold.get(key, ())
        for span in spans:
            yield row | {"document": span.document, "start": span.start, "end": span.end}
        without = test_set.grades[key].keys() - {span.document for span in spans}
        for document in sorted(without):
            if test_set.grades[key][document] > 0:
                yield row | {"document": document}


def given_set(engine: Engine, kb: KnowledgeBase, given: Sequence[OwnQuestion]) -> TestSet:
    """The set of questions that were given, each with all documents that answer it.

    Raises DatasetError for a question that can't be searched for, a document that isn't in the
    knowledge base, a span that isn't in it, and where there is no question at all.
    """
    known: dict[str, DocumentSummary] = {}
    found: dict[str, _Judged] = {}
    for one in given:
        try:
            Query(one.question)
            if one.document not in known:
                key = engine.documents.named(kb, one.document)
                known[one.document] = engine.documents.summary(kb, key)
            document = known[one.document]
            check_span(one.start, one.end, document.characters)
        except (DocumentNotFound, InvalidRequest, UnicodeEncodeError) as error:
            raise DatasetError(f"{one.place}: {error}") from error
        judged = found.setdefault(one.id or _key(one.question), _Judged(one.question))
        if one.id and judged.text != one.question:
            raise DatasetError(f"{one.place}: the id {one.id!r} is another question's, too.")
        judged.add(document.uri, 1, one.start, one.end)
    if not found:
        raise DatasetError(f"There is no question to measure {kb.name!r} with.")
    return _set(engine, kb, "questions", found)


def feedback_set(engine: Engine, kb: KnowledgeBase) -> TestSet:
    """The set of questions that feedback names a helpful document for.

    What helped anybody has grade 1, whatever others said of it; what only didn't help has 0. A
    span that helped is gold while its version is live. Raises DatasetError where there is none.
    """
    log = engine.feedback
    found: dict[str, _Judged] = {}
    for one in log.list(kb, log.count(kb)):
        judged = found.setdefault(_key(one.question), _Judged(one.question))
        start, end = (one.start, one.end) if one.live else (None, None)
        judged.add(one.uri, int(one.helpful), start, end)
    answered = {key: one for key, one in found.items() if any(one.grades.values())}
    if not answered:
        raise DatasetError(
            f"No feedback on {kb.name!r} says that a document helped, so there is nothing to "
            f"measure by. Give some, or measure with questions of a file, or made of the text."
        )
    return _set(engine, kb, "feedback", answered, _FEEDBACK_NOTE)


def _key(question: str) -> str:
    """What a question without an id is called: the same however its words are spaced."""
    return hashlib.sha256(" ".join(question.split()).encode()).hexdigest()[:12]


def _set(
    engine: Engine, kb: KnowledgeBase, what: str, found: Mapping[str, _Judged], note: str = ""
) -> TestSet:
    return TestSet(
        name=f"{kb.name}, {what}",
        documents=(),
        questions={key: one.text for key, one in found.items()},
        grades={key: one.grades for key, one in found.items()},
        gold={key: tuple(dict.fromkeys(one.gold)) for key, one in found.items() if one.gold},
        size=engine.documents.count(kb),
        note=note,
    )
