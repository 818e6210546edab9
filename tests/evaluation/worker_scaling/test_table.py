"""What is shown of workers, and what is said of them."""

from dataclasses import replace

from evaluation.report.bench import to_html, to_markdown
from evaluation.worker_scaling.figures import growth_of, scale_of
from evaluation.worker_scaling.locks import Turns
from evaluation.worker_scaling.table import report_of, verdict
from tests.evaluation.embedding_bench.conftest import HOSTILE
from tests.evaluation.worker_scaling.conftest import MakeRun
from tests.evaluation.worker_scaling.test_figures import figures, growth


def test_rates_are_shown_beside_those_of_one_worker(made: MakeRun) -> None:
    alone = made(workers=0, seconds=4.0, publishing=Turns(), writing=Turns())
    report = report_of(figures(alone, made(), made(workers=2, seconds=5.0)))
    rates = report.grids[0]
    assert [row[0] for row in rates.rows] == [
        "one process, embedded",
        "1 worker, 1 knowledge base",
        "2 workers, 1 knowledge base",
    ]
    assert [row[-1] for row in rates.rows] == ["2.50", "1.00", "2.00"]
    told = to_markdown(report)
    assert "25.0 \\[25.0, 25.0\\]" in told
    assert "Sound: 0 faults." in told
    assert "Wrong" not in told


def test_the_verdict_names_what_is_full(made: MakeRun) -> None:
    full = made(workers=2, seconds=5.0, busy=9.9)
    scales = [scale_of([one]) for one in (made(), full, made(workers=3, seconds=5.0))]
    said = verdict(growth_of(scales))
    assert "Into 1 knowledge base documents/s grow up to 2 workers" in said
    assert "1.00, 2.00, 2.00 times" in said
    assert "what is full: a worker's Python (160%), the cores (99%)." in said
    assert "Cores went to workers 1.60, S3 0.60" in said


def test_the_verdict_says_so_where_nothing_is_full(made: MakeRun) -> None:
    said = verdict(growth(made, 10.0, 10.0))
    assert "don't grow with a second worker" in said
    assert "nothing that was looked at is full; the most, 80%" in said
    assert "grow with each worker" in verdict(growth(made, 10.0, 8.0))


def test_faults_come_first(made: MakeRun) -> None:
    faults = tuple(f"{n}.pdf isn't there {HOSTILE}" for n in range(25))
    report = report_of(replace(figures(made(faults=faults)), notes=("A note.",)))
    assert report.grids[0].title == "Wrong, and 5 more"
    assert len(report.grids[0].rows) == 20
    assert "Not sound: 25 faults." in report.remarks[-2]
    assert report.remarks[-1] == "A note."
    assert HOSTILE not in to_html(report)
