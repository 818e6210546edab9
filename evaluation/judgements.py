"""Judgements as they are read: the grade of each document by query."""

from collections.abc import Mapping
from typing import TypeVar

from evaluation.errors import DatasetError

_Value = TypeVar("_Value")

_HIGHEST = 1_000  # sets grade within some 5; sums of gains beyond any use aren't whole any more


def grade_of(text: str, place: str) -> int:
    """A grade as a whole number. Raises DatasetError."""
    try:
        grade = int(text)
    except ValueError as error:
        raise DatasetError(f"{place}: the grade {text[:40]!r} isn't a whole number.") from error
    if abs(grade) > _HIGHEST:
        raise DatasetError(f"{place}: the grade {text!r} isn't within -{_HIGHEST} and {_HIGHEST}.")
    return grade


def enter(of_query: dict[str, _Value], document: str, value: _Value, place: str) -> None:
    """Take a document in. Raises DatasetError where the query has it already."""
    if document in of_query:
        raise DatasetError(f"{place}: the query has document {document!r} already.")
    of_query[document] = value


def measurable(qrels: Mapping[str, Mapping[str, int]]) -> set[str]:
    """The queries for which a document is relevant: of others, all measures would be 0."""
    return {key for key, grades in qrels.items() if any(grade > 0 for grade in grades.values())}


def counted(count: int, one: str, many: str) -> tuple[str, ...]:
    """The sentence for so many, if there are any."""
    return (f"{count:,} {one if count == 1 else many}",) if count else ()


def unmeasured(count: int) -> tuple[str, ...]:
    """What is to be said of queries that are left out, if there are any."""
    return counted(
        count,
        "query has no relevant document and is left out.",
        "queries have no relevant document and are left out.",
    )
