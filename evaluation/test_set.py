"""A set to measure retrieval with, whatever its format: documents, questions, and what is right."""

import hashlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.beir import Entry, read_beir
from evaluation.errors import DatasetError
from evaluation.span_gold import read_span_set
from evaluation.span_metrics import Span


@dataclass(frozen=True, slots=True)
class TestSet:
    """Documents and questions; `grades` of documents by question, and spans where it has them.

    A question's own text, where it is a document too, isn't counted as found unless it is judged.
    `size` counts the documents that there are, where not all of them are given. `note` is what
    one has to know to read its figures.
    """

    __test__ = False  # pytest

    name: str
    documents: tuple[Entry, ...]
    questions: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]
    gold: Mapping[str, tuple[Span, ...]]
    size: int | None = None
    note: str = ""

    @property
    def document_count(self) -> int:
        return len(self.documents) if self.size is None else self.size

    @property
    def digest(self) -> str:
        """A hash of the documents: sets with the same can share an index."""
        digest = hashlib.sha256()
        for entry in self.documents:
            digest.update(json.dumps([entry.id, entry.title, entry.text]).encode())
        return digest.hexdigest()

    def sample(self, count: int, seed: int) -> "TestSet":
        """The same with at most `count` of the questions, chosen by the seed."""
        keys = sorted(self.questions)
        if count < len(keys):
            keys = sorted(random.Random(seed).sample(keys, count))  # noqa: S311
        return replace(self, questions={key: self.questions[key] for key in keys})


def read_set(folder: Path) -> TestSet:
    """The set in a folder: BEIR's layout, or questions with spans. Raises DatasetError."""
    if (folder / "qrels").is_dir():
        beir = read_beir(folder)
        return TestSet(beir.name, beir.corpus, beir.queries, beir.qrels, {}, note=beir.note)
    return read_spans(folder)


def read_spans(folder: Path) -> TestSet:
    """The set of questions with spans in a folder, those that nothing answers left out.

    Raises DatasetError.
    """
    spans = read_span_set(folder)
    answerable = [question for question in spans.questions if question.gold]
    if not answerable:
        raise DatasetError(f"{folder} has no question with a span.")
    return TestSet(
        spans.name,
        spans.documents,
        {question.id: question.question for question in answerable},
        {q.id: {span.document: 1 for span in q.gold} for q in answerable},
        {question.id: question.gold for question in answerable},
    )
