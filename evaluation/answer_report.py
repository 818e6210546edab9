"""What an evaluation of answers tells: a table, a curve, remarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from evaluation.answers import AnswerScore
from evaluation.report.axes import Scale, drawing, frame, linear
from evaluation.report.bench import BenchReport, Plot, bench_report
from evaluation.report.grid import Grid
from evaluation.report.series import height_with, legend, line
from evaluation.report.table import shown
from evaluation.significance import Interval

_CAPTION = (
    "Risk by coverage: of the questions that are answered most confidently, the share in whose "
    "answer nothing shows what answers."
)


@dataclass(frozen=True, slots=True)
class AnswersBench:
    """What was found by set, on which machine, when, and by which command."""

    scores: Mapping[str, AnswerScore]
    machine: str
    made: date
    command: str


def report_of(bench: AnswersBench) -> BenchReport:
    """What there is to show."""
    told = [_told(score) for score in bench.scores.values()]
    rows = tuple((name, *(one[name] for one in told)) for name in told[0])
    grid = Grid("Answers", ("", *bench.scores), rows)
    remarks = ("Shares in % with their 95 % interval.",)
    return bench_report(
        "Answers", bench, (grid,), [Plot(risk_plot(bench.scores), _CAPTION)], remarks
    )


def risk_plot(scores: Mapping[str, AnswerScore]) -> str:
    """A line a set."""
    every = [risk for score in scores.values() for _, risk in score.risk]
    scale, x = Scale.around(0.0, max(every)), linear(100)
    marks = {f"{percent}": x(percent) for percent in (20, 40, 60, 80, 100)}
    parts = [*frame(scale, "wrong, %", marks, "answered, % of all questions")]
    for at, (name, score) in enumerate(scores.items()):
        places = [(x(100 * coverage), scale.place(risk)) for coverage, risk in score.risk]
        told = ", ".join(f"{100 * risk:.0f} at {100 * of:.0f} %" for of, risk in score.risk)
        parts += [*line(at, f"{name}: {told}", places, places), legend(at, name)]
    return drawing("Risk by coverage", height_with(len(scores)), parts)


def _told(score: AnswerScore) -> dict[str, str]:
    apart = score.separation
    return {
        "questions with an answer, without": f"{score.answerable}, {score.unanswerable}",
        "answer in the first quote": shown(score.first),
        "answer in any quote": shown(score.any),
        "exact match": shown(score.exact),
        "F1 of the words": shown(score.f1),
        "with a citation of the right document": shown(score.cited),
        "citations of the right document": _percent(score.precise),
        "refused though answerable": shown(score.refused),
        "abstained, of the unanswerable": _percent(score.abstained),
        "AUROC of the confidence": _percent(apart.auroc if apart else None),
        "with an answer, of the most confident 80 %": _percent(
            apart.precision_at_80 if apart else None
        ),
        "expected calibration error": f"{100 * apart.calibration_error:.1f}" if apart else "",
        "citations that hold": f"{100 * score.verified:.1f}",
        "sentences with a footnote": f"{100 * score.supported:.1f}",
        "quotes an answer, characters a quote": f"{score.quotes:.2f}, {score.characters:.0f}",
        "an answer takes, ms: p50, p95": f"{score.p50:.0f}, {score.p95:.0f}",
    }


def _percent(share: Interval | None) -> str:
    return shown(share) if share else ""
