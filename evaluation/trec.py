"""Judgements and runs in TREC's formats, as trec_eval reads them.

A line of qrels is `query 0 document grade`, one of a run `query Q0 document rank score tag`; the
second field is not looked at, nor is a run's rank: the scores rank. Fields are parted by ASCII
white space, so an id may hold any other, such as an ideographic space. Blank lines are passed over.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from evaluation.errors import DatasetError
from evaluation.judgements import enter, grade_of
from evaluation.lines import numbered_lines

_FIELD = re.compile(r"[^ \t\v\f\r\n]+")


def read_qrels(path: Path) -> dict[str, dict[str, int]]:
    """The grade of each judged document by query. Raises DatasetError."""
    judged: dict[str, dict[str, int]] = {}
    for place, (query, _, document, grade) in _records(path, "query 0 document grade"):
        enter(judged.setdefault(query, {}), document, grade_of(grade, place), place)
    return judged


def read_run(path: Path) -> dict[str, dict[str, float]]:
    """The score of each retrieved document by query; `ranked` orders them. Raises DatasetError."""
    run: dict[str, dict[str, float]] = {}
    for place, fields in _records(path, "query Q0 document rank score tag"):
        query, _, document, _, score, _ = fields
        enter(run.setdefault(query, {}), document, _finite(score, place), place)
    return run


def write_run(path: Path, run: Mapping[str, Mapping[str, float]], tag: str) -> None:
    """The run as a file, each query's documents in the order of `ranked`.

    Raises DatasetError where an id or the tag is empty or has white space, which would end the
    field; no file is written then.
    """
    lines = [
        f"{_field(query)} Q0 {_field(document)} {rank} {float(scores[document])} {_field(tag)}\n"
        for query, scores in run.items()
        for rank, document in enumerate(ranked(scores), start=1)
    ]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def ranked(scores: Mapping[str, float]) -> list[str]:
    """Documents by score, the highest first; of equal ones, the last by id comes first.

    So trec_eval sorts (`comp_sim_docno` in form_res_rels.c), ids by the bytes of UTF-8, which is
    by code points. Before its issue 34 (2022), and in pytrec_eval still, it held scores in single
    precision: there those tie that differ by less than some 1e-7 of themselves.
    """
    return sorted(scores, key=lambda document: (scores[document], document), reverse=True)


def _records(path: Path, form: str) -> Iterator[tuple[str, list[str]]]:
    """The fields of each line, and what to call it in messages."""
    for number, line in numbered_lines(path):
        fields = _FIELD.findall(line)
        if not fields:
            continue
        place = f"{path}, line {number}"
        if len(fields) != len(form.split()):
            raise DatasetError(f"{place} has {len(fields)} fields, not those of `{form}`.")
        yield place, fields


def _field(text: str) -> str:
    if not _FIELD.fullmatch(text):
        raise DatasetError(f"{text!r} can't be a field in TREC's formats: empty, or white space.")
    return text


def _finite(score: str, place: str) -> float:
    try:
        value = float(score)
    except ValueError as error:
        raise DatasetError(f"{place}: the score {score!r} isn't a number.") from error
    if not math.isfinite(value):
        raise DatasetError(f"{place}: the score {score!r} isn't finite.")
    return value
