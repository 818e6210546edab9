"""The figures of many processes as cells, and what one has to know to read them."""

from collections.abc import Iterator

from evaluation.cluster_soak.figures import ClusterFigures
from evaluation.report.bench import BenchReport, bench_report
from evaluation.report.grid import Grid, counted
from evaluation.serving_soak.table import calls_grid, faults_grid, told


def report_of(figures: ClusterFigures) -> BenchReport:
    """What there is to show: first what was wrong, where anything was."""
    made = (
        faults_grid(figures.faults, figures.counts),
        _counts(figures),
        calls_grid(figures.calls),
        _restarts(figures),
    )
    grids = tuple(one.without_blanks() for one in made if one.rows)
    return bench_report("Cluster", figures, grids, (), _remarks(figures))


def _remarks(figures: ClusterFigures) -> Iterator[str]:
    yield (
        f"{figures.server}. {figures.servers} that serve and {figures.workers} that work share a "
        f"catalogue and words in Postgres, vectors in a Chroma server and originals in a stand-in "
        f"for S3, all on this machine; {counted(figures.clients, 'client')} without a pause. One "
        f"of each kind is killed (-9) every {figures.every:g} s, Postgres and Chroma once; S3 "
        f"hangs once (SIGSTOP); seed {figures.seed}."
    )
    yield (
        "A call may be refused or cut off by a server that is killed, and get 503 with Retry-After "
        "while Postgres, Chroma or S3 is away and 5 s longer; everything else is a fault. Times "
        "are of calls that no restart came upon."
    )
    verdict = "Sound" if figures.sound else "Not sound"
    yield f"{verdict}: {counted(sum(figures.counts.values()), 'fault')}."
    yield from figures.notes


def _counts(figures: ClusterFigures) -> Grid:
    rate = figures.uploaded / figures.seconds if figures.seconds else 0.0
    rows = (
        ("documents uploaded", f"{figures.uploaded:,}"),
        ("seconds until all were there", f"{figures.seconds:,.0f}"),
        ("of them a second", f"{rate:,.1f}"),
        ("documents and versions written by clients", f"{figures.written:,}"),
        ("documents deleted", f"{figures.deleted:,}"),
        ("documents in the end", f"{figures.documents:,}"),
        ("questions with the same hits and scores everywhere", f"{figures.agreed:,}"),
        ("calls tried again", told(figures.retries)),
        ("writes cut off without a reply", f"{figures.lost:,}"),
        ("faults", told(figures.counts)),
        ("what footnote doctor looked at", f"{len(figures.doctor)}"),
    )
    return Grid("What happened", ("", "count"), rows)


def _restarts(figures: ClusterFigures) -> Grid:
    rows = tuple((one.what, f"{one.at:,.0f}", f"{one.recovery:.1f}") for one in figures.restarts)
    return Grid("Kills and stalls", ("of", "after, s", "ready after, s"), rows)
