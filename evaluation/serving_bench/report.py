"""The benchmark as it is reported: a plot a call beside its tables."""

from collections.abc import Iterator

from evaluation.report.bench import BenchReport, Plot, bench_report
from evaluation.report.latencies import latency_plot
from evaluation.serving_bench.figures import Beside, Call, ServingBench
from evaluation.serving_bench.table import grids, remarks

_NAMES = {Beside.NOTHING: "nothing beside it", Beside.INGESTION: "beside ingestion"}
_WHAT = {Call.SEARCH: "searches", Call.ASK: "questions"}


def report_of(bench: ServingBench) -> BenchReport:
    """What there is to show."""
    return bench_report("Serving benchmark", bench, grids(bench), _plots(bench), remarks(bench))


def _plots(bench: ServingBench) -> Iterator[Plot]:
    for call, what in _WHAT.items():
        found = [
            (name, [s.latency for s in bench.steps if (s.call, s.beside) == (call, beside)])
            for beside, name in _NAMES.items()
        ]
        yield Plot(
            latency_plot(found, what),
            f"What 95 of 100 {what} don't wait longer for, by how many come in a second.",
        )
