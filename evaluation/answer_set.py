"""Sets for measuring answers: a corpus, and questions with the words that answer them, or none.

The layout is that of a retrieval set, with `questions.jsonl` beside `corpus.jsonl`: `id`,
`question`, `answers` (empty where nothing answers), and `para_id` or `doc_id`, an id of the corpus.
"""

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.beir import Entry, numbered_rows, read_corpus
from evaluation.errors import DatasetError
from retrieval.types import Citation


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    """A question and any of the wordings that answer it; without one, nothing does.

    `source` is the id of the document that it was asked about.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    source: str

    @property
    def is_answerable(self) -> bool:
        return bool(self.answers)

    def is_answered_by(self, text: str) -> bool:
        """Whether one of the answers stands in a text, white space and case aside."""
        said = _squeezed(text)
        return any(_squeezed(answer) in said for answer in self.answers)

    def is_from_source(self, citation: Citation) -> bool:
        """Whether a citation is of the document that it was asked about."""
        return citation.uri == self.source

    def is_quoted_in(self, citation: Citation) -> bool:
        """Whether a citation shows one of the answers."""
        return self.is_answered_by(citation.quote)


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """A corpus and what is asked about it."""

    name: str
    corpus: tuple[Entry, ...]
    questions: tuple[AnswerQuestion, ...]

    def half(self, number: int) -> list[AnswerQuestion]:
        """The questions about half of the topics, 0 or 1: what is fitted on one is tested on the
        other. A topic is all documents of one title, or a document that has none.
        """
        topics = {entry.id: entry.title or entry.id for entry in self.corpus}
        return [one for one in self.questions if _side(topics[one.source]) == number]


def read_answer_set(folder: Path) -> AnswerSet:
    """The set in a folder. Raises DatasetError."""
    corpus = read_corpus(folder / "corpus.jsonl")
    known = {entry.id for entry in corpus}
    questions = tuple(_questions(folder / "questions.jsonl", known))
    if not any(one.answers for one in questions):
        raise DatasetError(f"{folder} has no question with an answer in questions.jsonl.")
    return AnswerSet(folder.resolve().name, corpus, questions)


def _questions(path: Path, known: set[str]) -> Iterator[AnswerQuestion]:
    for number, row in numbered_rows(path, "id", "question", "answers"):
        source = row.get("para_id", row.get("doc_id"))
        answers: Any = row["answers"]
        if not isinstance(answers, list) or not all(isinstance(one, str) for one in answers):
            raise DatasetError(
                f"{path}, line {number}: answers is {answers!r:.60}, no list of texts."
            )
        if source not in known:
            raise DatasetError(f"{path}, line {number}: {source!r:.60} isn't in the corpus.")
        kept = tuple(one for one in answers if one.strip())
        yield AnswerQuestion(str(row["id"]), str(row["question"]), kept, source)


def sampled(questions: Sequence[AnswerQuestion], most: int | None) -> list[AnswerQuestion]:
    """At most so many, chosen by their ids: the same ones each time."""
    ordered = sorted(questions, key=lambda one: hashlib.sha256(one.id.encode()).digest())
    return ordered[:most]


def _side(topic: str) -> int:
    return hashlib.sha256(topic.encode()).digest()[0] % 2


def _squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())
