"""Runs of any system, judged by qrels: both in TREC's formats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.configuration import Configuration, check_names
from evaluation.errors import DatasetError
from evaluation.judgements import counted, measurable, unmeasured
from evaluation.judging import Judged, judge
from evaluation.runs import Retrieved, Run
from evaluation.test_set import TestSet
from evaluation.trec import ranked, read_qrels, read_run


@dataclass(frozen=True, slots=True)
class TrecRun(Run):
    """A run of a file. Of its configuration there is only the name, and of its spans the document.

    All that it ranks counts, also a document with the query's id: where queries and documents are
    numbered, that is no question's own text.
    """

    def ranking(self, question: str, grades: Mapping[str, int]) -> list[str]:  # noqa: ARG002
        """The documents by score."""
        return [one.document for one in self.retrieved[question]]


def qrels_set(path: Path) -> TestSet:
    """The queries that have a relevant document, by their ids alone. Raises DatasetError."""
    qrels = read_qrels(path)
    asked = measurable(qrels)
    if not asked:
        raise DatasetError(f"{path} has no query with a relevant document.")
    note = " ".join(unmeasured(len(qrels) - len(asked)))
    return TestSet(path.stem, (), {key: key for key in qrels if key in asked}, qrels, {}, note=note)


def judge_files(test_set: TestSet, paths: Sequence[Path]) -> tuple[TestSet, list[Judged]]:
    """The runs, named after their files, judged; and the set with a note of what they lack.

    As with trec_eval's `-c`, a query that a run lacks counts as 0; one that isn't judged doesn't
    count. Raises DatasetError, and ConfigurationError where a file is given twice.
    """
    names = _names(paths)
    check_names([Configuration(name) for name in names])
    notes = [test_set.note] if test_set.note else []
    judged = []
    for name, path in zip(names, paths, strict=True):
        scores = read_run(path)
        notes += _lacks(name, test_set, scores)
        judged.append(judge(_run(name, test_set, scores), test_set))
    return replace(test_set, note=" ".join(notes)), judged


def _names(paths: Sequence[Path]) -> list[str]:
    """Those of the files without extension, or whole paths where two would have the same."""
    stems = [path.stem for path in paths]
    return stems if len(set(stems)) == len(stems) else [str(path) for path in paths]


def _run(name: str, test_set: TestSet, scores: Mapping[str, Mapping[str, float]]) -> TrecRun:
    found = {
        key: tuple(Retrieved(one, 0, 0, of_query[one]) for one in ranked(of_query))
        for key in test_set.questions
        for of_query in (scores.get(key, {}),)
    }
    return TrecRun(test_set.name, Configuration(name), found, {})


def _lacks(
    name: str, test_set: TestSet, scores: Mapping[str, Mapping[str, float]]
) -> tuple[str, ...]:
    lacking = sum(key not in scores for key in test_set.questions)
    unjudged = sum(key not in test_set.grades for key in scores)
    return (
        *counted(
            lacking,
            f"query isn't in {name}: it counts as 0.",
            f"queries aren't in {name}: they count as 0.",
        ),
        *counted(
            unjudged,
            f"query of {name} isn't judged and is left out.",
            f"queries of {name} aren't judged and are left out.",
        ),
    )
