"""What a report says of runs over sets: figures, comparisons, recall by depth, failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from evaluation.configuration import Configuration
from evaluation.judging import Compared, Judged, compare
from evaluation.report.failures import Failure, failures
from evaluation.significance import Interval
from evaluation.test_set import TestSet

METRIC = "nDCG@10"  # what runs are compared by
DEEPEST = 100  # the last k of a curve
_SAME = 1e-9  # what rounding may make of no difference


@dataclass(frozen=True, slots=True)
class Figures:
    """A run's measures, each with its interval."""

    configuration: Configuration
    metrics: Mapping[str, Interval]

    @classmethod
    def of(cls, judged: Judged) -> "Figures":
        measured = {metric: judged.interval(metric) for metric in judged.values}
        return cls(judged.run.configuration, measured)


@dataclass(frozen=True, slots=True)
class Curve:
    """A run's mean recall of documents among the first 1, 2, and so on."""

    run: str
    recall: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """How much higher a run's measure is than another's, by question, the highest first."""

    run: str
    other: str
    values: Mapping[str, float]

    @property
    def higher(self) -> tuple[float, ...]:
        return tuple(value for value in self.values.values() if value > _SAME)

    @property
    def lower(self) -> tuple[float, ...]:
        return tuple(value for value in self.values.values() if value < -_SAME)


@dataclass(frozen=True, slots=True)
class SetReport:
    """All of one set. Runs are compared with the first; differences and failures are the last's."""

    name: str
    note: str
    documents: int
    questions: int
    runs: tuple[Figures, ...]
    compared: tuple[Compared, ...]
    curves: tuple[Curve, ...]
    differences: Differences | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Several sets, and how they were measured."""

    machine: str
    made: date
    command: str
    sets: tuple[SetReport, ...]


def report_on(test_set: TestSet, judged: Sequence[Judged]) -> SetReport:
    """What there is to say of runs over a set; there is one at least."""
    *others, last = judged
    return SetReport(
        name=test_set.name,
        note=test_set.note,
        documents=test_set.document_count,
        questions=len(test_set.questions),
        runs=tuple(Figures.of(one) for one in judged),
        compared=tuple(compare(judged[0], judged[1:], METRIC)),
        curves=tuple(_curve(test_set, one) for one in judged),
        differences=_differences(last, others) if others else None,
        failures=failures(test_set, last, METRIC),
    )


def _curve(test_set: TestSet, judged: Judged) -> Curve:
    """`metrics.recall` at every k, in one pass over each ranking instead of a hundred."""
    gained = [0.0] * DEEPEST
    for key in test_set.questions:
        grades = test_set.grades[key]
        relevant = {document for document, grade in grades.items() if grade > 0}
        for at, document in enumerate(judged.run.ranking(key, grades)[:DEEPEST]):
            if document in relevant:
                gained[at] += 1 / len(relevant)
    recall = tuple(total / len(test_set.questions) for total in accumulate(gained))
    return Curve(judged.run.configuration.name, recall)


def _differences(last: Judged, others: Sequence[Judged]) -> Differences:
    best = max(others, key=lambda one: one.mean(METRIC))
    before = best.values[METRIC]
    found = {key: value - before[key] for key, value in last.values[METRIC].items()}
    ordered = dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
    return Differences(last.run.configuration.name, best.run.configuration.name, ordered)
