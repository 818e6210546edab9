"""Questions whose evidence stands on pages: what of it is found in files as they are uploaded.

A folder with the files in `pdfs/` and `questions.jsonl`, whose rows have `id`, `question` and
`evidence`: a list of `{"doc", "page0"}`, the name of a file and its page, counted from 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from evaluation.beir import numbered_rows
from evaluation.errors import DatasetError
from evaluation.significance import Interval, interval
from retrieval.engine import Engine
from retrieval.search import Query
from retrieval.types import Document, Hit, KnowledgeBase

_HITS = 100  # chunks: enough for ten pages, however many of their chunks are found


class Place(NamedTuple):
    """A page of a file, counted from 1."""

    file: str
    page: int


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """A question and the pages that hold the evidence."""

    id: str
    question: str
    evidence: frozenset[Place]


@dataclass(frozen=True, slots=True)
class PageScore:
    """Shares over the questions: of the evidence's pages that are among the first 5 and 10 pages
    found, and of questions for which a hit among the first 5 is of the right file.
    """

    questions: int
    page_recall_5: Interval
    page_recall_10: Interval
    document_5: Interval


def read_page_questions(folder: Path) -> list[PageQuestion]:
    """The questions of a folder. Raises DatasetError."""
    path = folder / "questions.jsonl"
    found = []
    for number, row in numbered_rows(path, "id", "question", "evidence"):
        try:
            evidence = frozenset(Place(one["doc"], one["page0"] + 1) for one in row["evidence"])
        except (TypeError, KeyError) as error:
            raise DatasetError(f"{path}, line {number}: {error!r} in its evidence.") from error
        if not evidence:
            raise DatasetError(f"{path}, line {number} has no evidence.")
        found.append(PageQuestion(str(row["id"]), str(row["question"]), evidence))
    return found


def measure(
    engine: Engine,
    kb: KnowledgeBase,
    questions: Sequence[PageQuestion],
    on_progress: Callable[[int], None],
) -> PageScore:
    """Search for each question in a knowledge base that holds the files under their names."""
    documents: dict[str, Document] = {}

    def place(hit: Hit) -> list[Place]:
        key = hit.chunk.document_id
        document = documents.setdefault(key, engine.documents.get(kb, key))
        name = Path(document.uri).name
        return [
            Place(name, page.number)
            for page in document.pages
            if page.start < hit.chunk.end and page.end > hit.chunk.start
        ]

    at_5, at_10, right = [], [], []
    for done, asked in enumerate(questions, start=1):
        hits = engine.searcher.search(kb, Query(asked.question, _HITS)).hits
        pages = list(dict.fromkeys(one for hit in hits for one in place(hit)))
        files = {one.file for one in asked.evidence}
        at_5.append(len(asked.evidence & set(pages[:5])) / len(asked.evidence))
        at_10.append(len(asked.evidence & set(pages[:10])) / len(asked.evidence))
        right.append(float(any(one.file in files for hit in hits[:5] for one in place(hit))))
        on_progress(done)
    return PageScore(len(questions), interval(at_5), interval(at_10), interval(right))
