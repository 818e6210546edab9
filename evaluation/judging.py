"""What a run is worth: each measure of each question, and the difference between two runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation import metrics, span_metrics
from evaluation.errors import ConfigurationError
from evaluation.runs import Run
from evaluation.significance import Difference, Interval, holm, interval, paired
from evaluation.span_metrics import Span
from evaluation.test_set import TestSet

_OfRanking = Callable[[Sequence[str], Mapping[str, int]], float]
_OfSpans = Callable[[Sequence[Span], Sequence[Span]], float]

_RANKING: Mapping[str, _OfRanking] = {
    "nDCG@10": lambda ranking, grades: metrics.ndcg(ranking, grades, 10),
    "recall@10": lambda ranking, grades: metrics.recall(ranking, grades, 10),
    "recall@100": lambda ranking, grades: metrics.recall(ranking, grades, 100),
    "MRR@10": lambda ranking, grades: metrics.reciprocal_rank(ranking, grades, 10),
    "MAP": lambda ranking, grades: metrics.average_precision(ranking, grades),
    "P@5": lambda ranking, grades: metrics.precision(ranking, grades, 5),
    "hit@1": lambda ranking, grades: metrics.hit_rate(ranking, grades, 1),
    "hit@5": lambda ranking, grades: metrics.hit_rate(ranking, grades, 5),
}
_READ = 4_000  # code points
BY_LENGTH = "span recall in 4,000"
"""Of the gold, what is in the first 4,000 code points that were found: the same for all chunkings
to read, whatever the size of their chunks.
"""

_SPANS: Mapping[str, _OfSpans] = {
    "span recall@5": lambda found, gold: span_metrics.span_recall(found[:5], gold),
    "span precision@5": lambda found, gold: span_metrics.span_precision(found[:5], gold),
    "span IoU@5": lambda found, gold: span_metrics.span_iou(found[:5], gold),
    "span recall@10": lambda found, gold: span_metrics.span_recall(found[:10], gold),
    BY_LENGTH: lambda found, gold: span_metrics.span_recall(span_metrics.first(found, _READ), gold),
}

_LEVEL = 0.05

Values = Mapping[str, float]
"""A measure of each question."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A run and its measures, each by question."""

    run: Run
    values: Mapping[str, Values]

    def mean(self, metric: str) -> float:
        return fmean(self.values[metric].values())

    def interval(self, metric: str) -> Interval:
        return interval(list(self.values[metric].values()))


@dataclass(frozen=True, slots=True)
class Compared:
    """How much higher a run's measure is than the baseline's; `p` is adjusted for there being
    several runs (Holm).
    """

    name: str
    metric: str
    difference: Difference
    p: float


def pooled(by_set: Sequence[Sequence[Judged]]) -> list[Judged]:
    """The same runs over several sets, as if those were one."""
    return [
        Judged(
            runs[0].run,
            {
                metric: {
                    f"{one.run.set_name}, {key}": value
                    for one in runs
                    for key, value in one.values[metric].items()
                }
                for metric in runs[0].values
            },
        )
        for runs in zip(*by_set, strict=True)
    ]


def recommended(compared: Sequence[Compared]) -> Compared | None:
    """The run that is best among those significantly better than the baseline, if any is."""
    better = [one for one in compared if one.difference.interval.mean > 0 and one.p < _LEVEL]
    return max(better, key=lambda one: one.difference.interval.mean, default=None)


def check_metric(test_set: TestSet, metric: str) -> int:
    """How many questions a metric would be measured of. Raises ConfigurationError where none."""
    located = sum(bool(test_set.gold.get(key)) for key in test_set.questions)
    counts = dict.fromkeys(_RANKING, len(test_set.questions))
    counts |= dict.fromkeys(_SPANS if located else (), located)
    if metric not in counts:
        raise ConfigurationError(_unknown(metric, counts))
    return counts[metric]


def judge(run: Run, test_set: TestSet) -> Judged:
    """All measures that the set allows: those of spans on the questions that have some."""
    values: dict[str, dict[str, float]] = {}
    for key in test_set.questions:
        grades = test_set.grades[key]
        ranking = run.ranking(key, grades)
        for name, of_ranking in _RANKING.items():
            values.setdefault(name, {})[key] = of_ranking(ranking, grades)
        if gold := test_set.gold.get(key):
            found = [Span(one.document, one.start, one.end) for one in run.retrieved[key]]
            for name, of_spans in _SPANS.items():
                values.setdefault(name, {})[key] = of_spans(found, gold)
    return Judged(run, values)


def compare(baseline: Judged, others: Sequence[Judged], metric: str) -> list[Compared]:
    """Each run against the baseline, question by question. Raises ConfigurationError."""
    differences = [_difference(baseline, other, metric) for other in others]
    adjusted = holm([difference.p for difference in differences])
    return [
        Compared(other.run.configuration.name, metric, difference, p)
        for other, difference, p in zip(others, differences, adjusted, strict=True)
    ]


def _difference(baseline: Judged, other: Judged, metric: str) -> Difference:
    before, after = baseline.values.get(metric), other.values.get(metric)
    if before is None or after is None:
        raise ConfigurationError(_unknown(metric, baseline.values))
    if before.keys() != after.keys():
        raise ConfigurationError(
            f"{other.run.configuration.name!r} has {len(after)} questions and "
            f"{baseline.run.configuration.name!r} {len(before)}, not the same ones: they can't be "
            "compared."
        )
    return paired([after[key] for key in before], list(before.values()))


def _unknown(metric: str, known: Iterable[str]) -> str:
    return f"{metric!r} isn't measured of this set; {', '.join(known)} are."
