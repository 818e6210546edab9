"""Questions that a run answers worst: what it should have found, and what it found instead."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from evaluation.beir import Entry
from evaluation.judging import Judged
from evaluation.test_set import TestSet

_FAILURES = 20
_GOLD = 5  # texts a question: some have dozens of relevant documents
_INSTEAD = 3
_LENGTH = 300  # code points of a text
_PERFECT = 1 - 1e-9


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a text, and the rank of its document, if it was found."""

    document: str
    title: str
    text: str
    rank: int | None


@dataclass(frozen=True, slots=True)
class Failure:
    """A question with its measure; `more` counts the gold that isn't shown."""

    question: str
    text: str
    value: float
    gold: tuple[Excerpt, ...]
    more: int
    instead: tuple[Excerpt, ...]

    @property
    def documents(self) -> set[str]:
        """Those that it tells of."""
        return {one.document for one in (*self.gold, *self.instead)}


def failures(test_set: TestSet, judged: Judged, metric: str) -> tuple[Failure, ...]:
    """The questions of which a run's measure is lowest, the lowest first, equal ones by id.

    None is among them of which all was found as well as can be.
    """
    values = judged.values[metric]
    worst = sorted((value, key) for key, value in values.items() if value < _PERFECT)
    entries = {entry.id: entry for entry in test_set.documents}
    return tuple(
        _failure(test_set, judged, key, value, entries) for value, key in worst[:_FAILURES]
    )


def _failure(
    test_set: TestSet, judged: Judged, key: str, value: float, entries: Mapping[str, Entry]
) -> Failure:
    grades = test_set.grades[key]
    ranks = {one: at for at, one in enumerate(judged.run.ranking(key, grades), start=1)}
    gold = [
        _excerpt(document, text, ranks, entries) for document, text in _gold(test_set, key, entries)
    ]
    wrong = [document for document in ranks if grades.get(document, 0) <= 0]
    instead = [_excerpt(one, _text(one, entries), ranks, entries) for one in wrong[:_INSTEAD]]
    return Failure(
        question=key,
        text=test_set.questions[key],
        value=value,
        gold=tuple(gold[:_GOLD]),
        more=len(gold[_GOLD:]),
        instead=tuple(instead),
    )


def _gold(test_set: TestSet, key: str, entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """The spans with gold, or else the relevant documents, the most relevant first: their text."""
    spans = test_set.gold.get(key, ())
    for span in spans:
        yield span.document, _text(span.document, entries)[span.start : span.end]
    if spans:
        return
    grades = test_set.grades[key]
    for document in sorted(grades, key=lambda one: (-grades[one], one)):
        if grades[document] > 0:
            yield document, _text(document, entries)


def _text(document: str, entries: Mapping[str, Entry]) -> str:
    """Nothing, where judgements name a document that the set hasn't got."""
    return entries[document].text if document in entries else ""


def _excerpt(
    document: str, text: str, ranks: Mapping[str, int], entries: Mapping[str, Entry]
) -> Excerpt:
    title = entries[document].title if document in entries else ""
    cut = text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
    return Excerpt(document, title, cut, ranks.get(document))
