from datetime import date

from evaluation.answer_report import AnswersBench, report_of, risk_plot
from evaluation.answers import AnswerScore, Separation
from evaluation.report.bench import to_html, to_markdown
from evaluation.significance import Interval

HALF = Interval(0.5, 0.4, 0.6)


def score(separation: Separation | None) -> AnswerScore:
    return AnswerScore(
        answerable=12,
        unanswerable=4 if separation else 0,
        first=HALF,
        any=Interval(0.75, 0.6, 0.9),
        exact=HALF,
        f1=HALF,
        cited=HALF,
        precise=HALF,
        refused=HALF,
        abstained=HALF if separation else None,
        separation=separation,
        risk=((0.5, 0.1), (1.0, 0.3)),
        verified=1.0,
        supported=0.9,
        quotes=1.5,
        characters=80.0,
        p50=10.0,
        p95=20.0,
    )


SCORES = {"animals": score(Separation(HALF, HALF, 0.031)), "<towns>": score(None)}


def test_a_report_has_a_column_a_set_and_the_curve() -> None:
    bench = AnswersBench(SCORES, "a machine", date(2026, 1, 2), "footnote eval answers")
    page = to_html(report_of(bench))
    assert "75.0 [60.0, 90.0]" in page and "<svg" in page
    assert "&lt;towns&gt;" in page and "<towns>" not in page
    told = to_markdown(report_of(bench))
    assert "| expected calibration error | 3.1 |" in told
    assert "footnote eval answers" in told


def test_a_line_tells_what_it_shows() -> None:
    assert "animals: 10 at 50 %, 30 at 100 %" in risk_plot(SCORES)
