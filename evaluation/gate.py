"""A gate for changes: does what retrieves now do significantly worse than a baseline did?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import DatasetError
from evaluation.judging import Judged, Values
from evaluation.significance import chance_of_loss, paired

_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Verdict:
    """The mean difference to the baseline, how likely one as low is by chance, and the verdict."""

    metric: str
    questions: int
    before: float
    after: float
    low: float
    high: float
    p: float
    passes: bool


def write_baseline(path: Path, judged: Judged) -> None:
    """Keep the measures of a run, question by question."""
    kept = {"set": judged.run.set_name, "values": judged.values}
    path.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")


def check(path: Path, judged: Judged, metric: str, tolerance: float) -> Verdict:
    """Whether a run holds against a baseline: it fails where it lost more than the tolerance in
    the mean, and that isn't chance (p < 0.05, one-sided).

    Raises DatasetError where the baseline is of another set, or of other questions.
    """
    before, after = _values(path, judged, metric), judged.values[metric]
    keys = sorted(after)
    if before.keys() != after.keys():
        raise DatasetError(
            f"{path} was made with {len(before)} questions and this run with {len(after)}, not "
            f"the same ones: make it anew with --write."
        )
    differences = [after[key] - before[key] for key in keys]
    bounds = paired([after[key] for key in keys], [before[key] for key in keys]).interval
    p = chance_of_loss(differences)
    return Verdict(
        metric=metric,
        questions=len(keys),
        before=sum(before.values()) / len(keys),
        after=sum(after.values()) / len(keys),
        low=bounds.low,
        high=bounds.high,
        p=p,
        passes=bounds.mean >= -tolerance or p >= _LEVEL,
    )


def _values(path: Path, judged: Judged, metric: str) -> Values:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        name, values = kept["set"], kept["values"]
    except OSError as error:
        raise DatasetError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"{path} isn't a baseline: {error!r}.") from error
    if name != judged.run.set_name:
        raise DatasetError(f"{path} is a baseline of {name!r}, not of {judged.run.set_name!r}.")
    if metric not in values or metric not in judged.values:
        raise DatasetError(f"{metric!r} isn't measured; {', '.join(judged.values)} are.")
    found: Mapping[str, float] = values[metric]
    return found
