"""Questions with span gold: a document and the code points that answer, or none at all."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from evaluation.errors import DatasetError
from evaluation.lines import numbered_lines
from retrieval.types import Citation


@dataclass(frozen=True, slots=True)
class SampleQuestion:
    """A question; `document` None means that nothing answers it.

    `document` is a file name, `start` and `end` a span of its canonical text.
    """

    id: str
    question: str
    language: str
    answers: tuple[str, ...]
    document: str | None
    start: int | None
    end: int | None
    demo: bool

    @property
    def is_answerable(self) -> bool:
        return self.document is not None

    def is_from_source(self, citation: Citation) -> bool:
        """Whether a citation is of the document that answers."""
        return file_name(citation.uri) == self.document

    def is_quoted_in(self, citation: Citation) -> bool:
        """Whether a citation overlaps the gold span."""
        start, end = self.start or 0, self.end or 0
        overlaps = citation.start < end and start < citation.end
        return overlaps and self.is_from_source(citation)


def file_name(uri: str) -> str:
    """The name of the file that a uri locates."""
    return PurePosixPath(unquote(urlsplit(uri).path)).name


def read_questions(path: Path) -> list[SampleQuestion]:
    """The questions of a JSONL file. Raises DatasetError."""
    return list(_read(path))


def _read(path: Path) -> Iterator[SampleQuestion]:
    for number, line in numbered_lines(path):
        try:
            yield _question(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"{path}, line {number}: {error!r}.") from error


def _question(row: dict[str, Any]) -> SampleQuestion:
    return SampleQuestion(
        id=row["id"],
        question=row["question"],
        language=row["language"],
        answers=tuple(row["answers"]),
        document=row["document"],
        start=row["start"],
        end=row["end"],
        demo=row.get("demo", False),
    )
