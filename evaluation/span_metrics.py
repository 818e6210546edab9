"""Measures of retrieved spans against gold spans: recall, precision and IoU of their tokens.

Smith, Troynikov, "Evaluating Chunking Strategies for Retrieval", Chroma 2024,
https://research.trychroma.com/evaluating-chunking; where its text leaves a choice, as its code
does it: brandonstarxel/chunking_evaluation, `evaluation_framework/base_evaluation.py`.

A token is a code point here, as it is in that code: offsets count code points, so texts of every
script are measured alike and without a tokenizer. What was found of the gold counts once, however
many spans repeat it; what was retrieved counts as often as it was retrieved, for a reader has to
read it again. It differs from that code in one point: gold spans that overlap count once, so that
recall can reach 1.

Each measure is in [0, 1], and 0 where there is no gold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """The code points of a document from `start` up to `end`."""

    document: str
    start: int
    end: int


def span_recall(retrieved: Sequence[Span], gold: Sequence[Span]) -> float:
    """The share of the gold that was retrieved."""
    return _share(_common(retrieved, gold), _extent(gold))


def span_precision(retrieved: Sequence[Span], gold: Sequence[Span]) -> float:
    """What was found of the gold, over all that was retrieved, repeats included."""
    return _share(_common(retrieved, gold), _length(retrieved))


def span_iou(retrieved: Sequence[Span], gold: Sequence[Span]) -> float:
    """Intersection over union: the found gold, over all retrieved, repeats included, and the rest.

    The rest is the gold that wasn't found.
    """
    found = _common(retrieved, gold)
    return _share(found, _length(retrieved) + _extent(gold) - found)


def first(retrieved: Sequence[Span], length: int) -> list[Span]:
    """The beginning of what was retrieved, of so many code points together, the last span cut.

    Measured on that, chunks of all sizes cost their reader the same.
    """
    taken: list[Span] = []
    for span in retrieved:
        room = length - _length(taken)
        if room <= 0:
            break
        taken.append(Span(span.document, span.start, min(span.end, span.start + room)))
    return taken


def _common(retrieved: Sequence[Span], gold: Sequence[Span]) -> int:
    """How many code points are in both: those in each less those in either."""
    return _extent(retrieved) + _extent(gold) - _extent([*retrieved, *gold])


def _extent(spans: Iterable[Span]) -> int:
    """How many code points are in any of the spans."""
    total, document, reached = 0, "", 0
    for span in sorted(spans, key=lambda span: (span.document, span.start)):
        if span.document != document:
            document, reached = span.document, 0
        total += max(0, span.end - max(span.start, reached))
        reached = max(reached, span.end)
    return total


def _length(spans: Iterable[Span]) -> int:
    """How many code points the spans have together, each counted as often as it is in one."""
    return sum(span.end - span.start for span in spans)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
