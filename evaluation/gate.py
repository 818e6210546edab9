"""A gate for changes: does what retrieves now do significantly worse than a baseline did?"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, FiniteFloat, TypeAdapter, ValidationError, with_config

from evaluation.configuration import Configuration
from evaluation.errors import DatasetError
from evaluation.judging import Judged, check_metric
from evaluation.significance import chance_of_loss, paired
from evaluation.test_set import TestSet

_LEVEL = 0.05
_ANEW = "make it anew with --write"
_FEWEST = 5  # questions: where all of four are lost, that is still chance in 1 of 16


@with_config(ConfigDict(strict=True))
@dataclass(frozen=True, slots=True)
class Baseline:
    """What was measured: each question's measures, of which configuration, over which documents
    (`TestSet.digest`).
    """

    set: str
    documents: str
    configuration: dict[str, Any]
    values: dict[str, dict[str, FiniteFloat]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The mean difference to the baseline with its bounds, how likely a loss as far beyond the
    tolerance is by chance, and whether it passes.

    `baseline` has of the baseline's configuration what isn't as in the one that was measured.
    """

    metric: str
    questions: int
    before: float
    after: float
    low: float
    high: float
    tolerance: float
    p: float
    passes: bool
    baseline: Mapping[str, Any]


_READ = TypeAdapter(Baseline)


def check_questions(test_set: TestSet, metric: str) -> None:
    """Raises ConfigurationError where the metric isn't measured of the set, and DatasetError
    where that is of so few questions that no loss could be significant.
    """
    _check_count(test_set.name, check_metric(test_set, metric))


def check_writable(path: Path) -> None:
    """Raises DatasetError where a baseline couldn't be written, which is known beforehand."""
    there = path.exists()
    if path.is_dir():
        problem = "it is a folder"
    elif not there and not path.parent.is_dir():
        problem = f"there is no folder {path.parent}"
    elif not os.access(path if there else path.parent, os.W_OK):
        problem = "that isn't permitted"
    else:
        return
    raise DatasetError(f"{path} can't be written: {problem}.")


def write_baseline(path: Path, judged: Judged, test_set: TestSet) -> None:
    """Keep the measures of a run, question by question. Raises DatasetError."""
    kept = {
        "set": test_set.name,
        "documents": test_set.digest,
        "configuration": asdict(judged.run.configuration),
        "values": judged.values,
    }
    try:
        path.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise DatasetError(f"{path} can't be written: {error.strerror}.") from error


def read_baseline(path: Path) -> Baseline:
    """What was kept. Raises DatasetError."""
    try:
        return _READ.validate_json(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = " of ".join(map(repr, reversed(first["loc"])))
        problem = f"{place}: {first['msg']}" if place else first["msg"]
        raise DatasetError(
            f"{path} isn't a baseline that can be used ({problem}): {_ANEW}."
        ) from error


def check_documents(baseline: Baseline, test_set: TestSet) -> None:
    """Raises DatasetError where the baseline is of another set, or of other documents."""
    if baseline.set != test_set.name:
        raise DatasetError(f"The baseline is of {baseline.set!r}, not of {test_set.name!r}.")
    if baseline.documents != test_set.digest:
        raise DatasetError(
            f"The baseline is of other documents than {test_set.name} has now: {_ANEW}."
        )


def check(
    baseline: Baseline, judged: Judged, test_set: TestSet, metric: str, tolerance: float
) -> Verdict:
    """Whether a run holds against a baseline: it fails where it lost more than the tolerance in
    the mean, and that it is more isn't chance (p < 0.05, one-sided).

    Raises DatasetError where the baseline is of another set, of other documents or questions, or
    where there are too few of these for any loss to be significant.
    """
    before, after = _before(baseline, judged, test_set, metric), judged.values[metric]
    keys = sorted(after)
    _check_count(test_set.name, len(keys))
    differences = [after[key] - before[key] for key in keys]
    bounds = paired([after[key] for key in keys], [before[key] for key in keys]).interval
    p = chance_of_loss([difference + tolerance for difference in differences])
    return Verdict(
        metric=metric,
        questions=len(keys),
        before=sum(before.values()) / len(keys),
        after=sum(after.values()) / len(keys),
        low=bounds.low,
        high=bounds.high,
        tolerance=tolerance,
        p=p,
        passes=bounds.mean >= -tolerance or p >= _LEVEL,
        baseline=_other(baseline.configuration, judged.run.configuration),
    )


def _check_count(name: str, count: int) -> None:
    if count < _FEWEST:
        raise DatasetError(
            f"{name} has {count} questions to measure: no loss would be significant with fewer "
            f"than {_FEWEST}, and the gate would never close."
        )


def _before(
    baseline: Baseline, judged: Judged, test_set: TestSet, metric: str
) -> Mapping[str, float]:
    """The baseline's measures of the same questions."""
    check_documents(baseline, test_set)
    if metric not in baseline.values or metric not in judged.values:
        known = ", ".join(key for key in judged.values if key in baseline.values)
        raise DatasetError(f"{metric!r} isn't measured of this run and the baseline; {known} are.")
    before, after = baseline.values[metric], judged.values[metric]
    if before.keys() != after.keys():
        raise DatasetError(
            f"The baseline was made with {len(before)} questions and this run with {len(after)}, "
            f"not the same ones: {_ANEW}."
        )
    return before


def _other(then: Mapping[str, Any], now: Configuration) -> dict[str, Any]:
    """What of a configuration differs, but for the name."""
    current = asdict(now)
    return {
        key: value
        for key, value in then.items()
        if key != "name" and (key not in current or current[key] != value)
    }
