from dataclasses import replace

from evaluation.judging import Judged, judge
from evaluation.report.failures import failures
from evaluation.runs import Retrieved
from evaluation.span_metrics import Span
from evaluation.test_set import TestSet
from tests.evaluation.report.conftest import Judge


def test_the_worst_questions_come_first(hostile: TestSet, runs: list[Judged]) -> None:
    found = failures(hostile, runs[-1], "nDCG@10")
    values = runs[-1].values["nDCG@10"]
    worst = sorted(values, key=lambda key: (values[key], key))
    assert [one.question for one in found] == worst[:20]
    assert [one.value for one in found] == [values[key] for key in worst[:20]]
    assert len({one.value for one in found}) < 20  # there are ties
    assert [one.text for one in found] == [hostile.questions[key] for key in worst[:20]]


def test_a_question_that_was_answered_is_no_failure(hostile: TestSet, judged: Judge) -> None:
    found = failures(hostile, judged("good", lambda n: 1 + (n in (4, 7))), "nDCG@10")
    assert {"q04", "q07"} <= {one.question for one in found}
    assert "q05" not in {one.question for one in found}  # its only document is first


def test_a_failure_shows_what_should_have_been_found(hostile: TestSet, judged: Judge) -> None:
    failure, *_ = failures(hostile, judged("bad", lambda n: 44 if n == 3 else 1), "nDCG@10")
    assert failure.question == "q03"
    assert [(one.document, one.rank) for one in failure.gold] == [("d03", 44), ("d04", 4)]
    assert failure.more == 0
    entry = hostile.documents[3]
    assert failure.gold[0].title == entry.title
    assert failure.gold[0].text == f"{entry.text[:300]}…"
    assert [(one.document, one.rank) for one in failure.instead] == [
        ("d00", 1),
        ("d01", 2),
        ("d02", 3),
    ]
    assert failure.instead[2].text == f"{hostile.documents[2].text[:300]}…"


def test_gold_that_is_missing_or_too_much_is_told(hostile: TestSet, judged: Judge) -> None:
    grades = {f"d{n:02}": 1 for n in range(10, 17)} | {"gone": 2, "d20": 0}
    others = replace(hostile, grades=dict(hostile.grades) | {"q29": grades, "q28": {}})
    found = failures(
        others, judge(judged("bad", lambda n: 44 if n > 27 else 1).run, others), "nDCG@10"
    )
    by_question = {one.question: one for one in found}
    gold = by_question["q29"].gold
    assert [one.document for one in gold] == ["gone", "d10", "d11", "d12", "d13"]
    assert (gold[0].title, gold[0].text, gold[0].rank) == ("", "", None)
    assert by_question["q29"].more == 3
    assert by_question["q28"].gold == ()


def test_spans_are_shown_instead_of_their_documents(hostile: TestSet, judged: Judge) -> None:
    text = hostile.documents[0].text
    start = text.index("text 0")
    gold = {key: (Span("d00", start, start + 6),) for key in hostile.questions}
    spans = replace(hostile, gold=gold, grades={key: {"d00": 1} for key in gold})
    run = judged("bad", lambda n: 44).run
    nothing = replace(run, retrieved=dict.fromkeys(run.retrieved, (Retrieved("d01", 0, 1, 1.0),)))
    first = failures(spans, judge(nothing, spans), "nDCG@10")[0]
    assert [(one.text, one.rank) for one in first.gold] == [("text 0", None)]
    assert [one.document for one in first.instead] == ["d01"]
