"""The benchmark as it is reported: two plots beside its tables."""

from collections.abc import Iterator

from markupsafe import Markup

from evaluation.embedding_bench.figures import Bench
from evaluation.embedding_bench.plots import measures_quality, plotted_set, worth_plot
from evaluation.embedding_bench.table import grids, remarks
from evaluation.report.bench import BenchReport, Plot, bench_report
from evaluation.report.latencies import latency_plot


def report_of(bench: Bench) -> BenchReport:
    """What there is to show."""
    return bench_report("Embedding benchmark", bench, grids(bench), _plots(bench), remarks(bench))


def _plots(bench: Bench) -> Iterator[Plot]:
    up = Markup("better in search.")
    if not measures_quality(bench):
        up = Markup("nearer to the vectors of <bdi>{}</bdi>.").format(bench.reference)
    worth = Markup("Right is faster, on the texts <bdi>{}</bdi>; up is {}")
    yield Plot(worth_plot(bench), worth.format(plotted_set(bench), up))
    waited = [(one.name, one.latencies) for one in bench.results]
    yield Plot(
        latency_plot(waited, "single texts"),
        "What 95 of 100 single texts don't wait longer for, by how many come in a second.",
    )
