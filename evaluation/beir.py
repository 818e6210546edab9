"""Retrieval sets in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.

Thakur et al., "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval
Models", NeurIPS 2021.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.errors import DatasetError
from evaluation.fields import id_in, question_in, text_in
from evaluation.judgements import counted, enter, grade_of, measurable, unmeasured
from evaluation.lines import numbered_lines


@dataclass(frozen=True, slots=True)
class Entry:
    """A text of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus, its queries, and the grade of each judged document by query (0: not relevant).

    `note` says what of the files isn't as one would expect, if anything.
    """

    name: str
    corpus: tuple[Entry, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]
    note: str = ""


def read_beir(folder: Path) -> Dataset:
    """The set in a folder, with the queries that have a relevant document. Raises DatasetError.

    Judgements of documents that aren't in the corpus stay, and so count as not found, as
    trec_eval has it.
    """
    qrels = _qrels(folder / "qrels" / "test.tsv")
    asked = measurable(qrels)
    path = folder / "queries.jsonl"
    rows = dict(_by_id(path))
    queries = {
        key: question_in(row, "text", place, key)
        for key, (place, row) in rows.items()
        if key in asked
    }
    if not queries:
        raise DatasetError(f"{folder} has no query with a judgement above 0 in qrels/test.tsv.")
    corpus = read_corpus(folder / "corpus.jsonl")
    note = _note(corpus, qrels, queries.keys(), rows.keys())
    return Dataset(folder.resolve().name, corpus, queries, qrels, note)


def read_corpus(path: Path) -> tuple[Entry, ...]:
    """The texts of a corpus.jsonl. Raises DatasetError."""
    return tuple(
        Entry(key, _title(row, place), text_in(row, "text", place))
        for key, (place, row) in _by_id(path)
    )


def _by_id(path: Path) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    """Each row with its place, by an id that is no other's."""
    seen: set[str] = set()
    for number, row in numbered_rows(path, "_id", "text"):
        place = f"{path}, line {number}"
        key = id_in(row, "_id", place)
        if key in seen:
            raise DatasetError(f"{place}: the `_id` {key!r} is another row's already.")
        seen.add(key)
        yield key, (place, row)


def _title(row: Mapping[str, Any], place: str) -> str:
    return text_in(row, "title", place) if row.get("title") is not None else ""


def _note(
    corpus: Sequence[Entry],
    qrels: Mapping[str, Mapping[str, int]],
    queries: Collection[str],
    rows: Collection[str],
) -> str:
    there = {entry.id for entry in corpus}
    gone = sum(document not in there for key in queries for document in qrels[key])
    return " ".join(
        (
            *unmeasured(sum(key in rows and key not in queries for key in qrels)),
            *counted(
                sum(key not in rows for key in qrels),
                "judged query isn't in queries.jsonl.",
                "judged queries aren't in queries.jsonl.",
            ),
            *counted(
                gone,
                "judgement names a document that the corpus hasn't got: it counts as not found.",
                "judgements name documents that the corpus hasn't got: they count as not found.",
            ),
        )
    )


def numbered_rows(path: Path, *fields: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row of a JSONL file that must have these fields, with the number of its line.

    Raises DatasetError.
    """
    for number, line in numbered_lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DatasetError(f"{path}, line {number} isn't JSON: {error}.") from error
        if not isinstance(row, dict) or any(field not in row for field in fields):
            missing = " or ".join(f"`{field}`" for field in fields)
            raise DatasetError(f"{path}, line {number}: {missing} is missing.")
        yield number, row


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    judged: dict[str, dict[str, int]] = {}
    first = True
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        place, fields = f"{path}, line {number}", line.split("\t")
        if len(fields) != 3:
            raise DatasetError(f"{place} isn't query, document and grade, between tabs.")
        query, document, grade = fields
        if not first or _is_number(grade):
            enter(judged.setdefault(query, {}), document, grade_of(grade, place), place)
        first = False
    return judged


def _is_number(text: str) -> bool:
    """Whether the first line's grade is one: otherwise that line is a header."""
    try:
        float(text)
    except ValueError:
        return False
    return True
