"""Retrieval sets in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv.

Thakur et al., "BEIR: A Heterogenous Benchmark for Zero-shot Evaluation of Information Retrieval
Models", NeurIPS 2021.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.errors import DatasetError
from evaluation.lines import numbered_lines


@dataclass(frozen=True, slots=True)
class Entry:
    """A text of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A corpus, its queries, and the grade of each judged document by query (0: not relevant)."""

    name: str
    corpus: tuple[Entry, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


def read_beir(folder: Path) -> Dataset:
    """The set in a folder, with the queries that have judgements. Raises DatasetError."""
    qrels = _qrels(folder / "qrels" / "test.tsv")
    queries = {
        str(row["_id"]): str(row["text"])
        for _, row in numbered_rows(folder / "queries.jsonl", "_id", "text")
        if str(row["_id"]) in qrels
    }
    if not queries:
        raise DatasetError(f"{folder} has no query with a judgement in qrels/test.tsv.")
    return Dataset(folder.name, read_corpus(folder / "corpus.jsonl"), queries, qrels)


def read_corpus(path: Path) -> tuple[Entry, ...]:
    """The texts of a corpus.jsonl. Raises DatasetError."""
    return tuple(
        Entry(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))
        for _, row in numbered_rows(path, "_id", "text")
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
    for number, line in numbered_lines(path):
        if number == 1:
            continue  # the header
        try:
            query, document, grade = line.split("\t")
            judged.setdefault(query, {})[document] = int(grade)
        except ValueError as error:
            raise DatasetError(
                f"{path}, line {number} isn't query, document and grade, between tabs: {error}."
            ) from error
    return judged
