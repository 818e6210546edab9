from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.span_metrics import (
    Span,
    first,
    span_iou,
    span_precision,
    span_recall,
)

SPANS = st.lists(
    st.builds(
        lambda document, start, length: Span(document, start, start + length),
        st.sampled_from(["a", "b", "文"]),
        st.integers(0, 15),
        st.integers(0, 8),
    ),
    max_size=6,
)


def places(spans: Sequence[Span]) -> list[tuple[str, int]]:
    """Every code point of every span, repeats included."""
    return [(span.document, at) for span in spans for at in range(span.start, span.end)]


def divided(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@settings(max_examples=200)
@given(SPANS, SPANS)
def test_sets_of_code_points_say_the_same(retrieved: list[Span], gold: list[Span]) -> None:
    wanted, read = set(places(gold)), places(retrieved)
    found = len(wanted & set(read))
    missed = len(wanted - set(read))
    assert span_recall(retrieved, gold) == divided(found, len(wanted))
    assert span_precision(retrieved, gold) == divided(found, len(read))
    assert span_iou(retrieved, gold) == divided(found, len(read) + missed)


@pytest.mark.parametrize(
    ("retrieved", "recall", "precision", "iou"),
    [
        ([("a", 0, 10), ("a", 20, 25)], 1.0, 1.0, 1.0),
        ([("a", 0, 30)], 1.0, 0.5, 0.5),
        ([("a", 5, 15)], 1 / 3, 0.5, 0.25),
        ([("a", 0, 10), ("a", 0, 10)], 2 / 3, 0.5, 0.4),
        ([("a", 0, 20), ("a", 10, 30)], 1.0, 0.375, 0.375),
        ([("b", 0, 30)], 0.0, 0.0, 0.0),
        ([("a", 10, 20)], 0.0, 0.0, 0.0),
        ([], 0.0, 0.0, 0.0),
    ],
)
def test_by_hand(
    retrieved: list[tuple[str, int, int]], recall: float, precision: float, iou: float
) -> None:
    gold = [Span("a", 20, 25), Span("a", 0, 10)]
    spans = [Span(*span) for span in retrieved]
    assert span_recall(spans, gold) == pytest.approx(recall)
    assert span_precision(spans, gold) == pytest.approx(precision)
    assert span_iou(spans, gold) == pytest.approx(iou)


def test_gold_that_overlaps_counts_once() -> None:
    gold = [Span("a", 0, 10), Span("a", 5, 15)]
    assert span_recall([Span("a", 0, 15)], gold) == 1.0
    assert span_iou([Span("a", 0, 15)], gold) == 1.0


def test_where_there_is_no_gold_all_are_0() -> None:
    found = [Span("a", 0, 5)]
    assert span_recall(found, []) == span_precision(found, []) == span_iou(found, []) == 0.0


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, []),
        (3, [("a", 0, 3)]),
        (10, [("a", 0, 10)]),
        (14, [("a", 0, 10), ("b", 5, 9)]),
        (100, [("a", 0, 10), ("b", 5, 20), ("a", 2, 4)]),
    ],
)
def test_the_first_code_points_of_what_was_retrieved(
    length: int, expected: list[tuple[str, int, int]]
) -> None:
    retrieved = [Span("a", 0, 10), Span("b", 5, 20), Span("a", 2, 4)]
    assert first(retrieved, length) == [Span(*one) for one in expected]
