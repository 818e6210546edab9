"""What a chat model is given to read: neighbours joined into one passage, repetitions left out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from retrieval.analysis import analyse
from retrieval.types import Hit
from retrieval.verifying.numerals import numerals

_ALIKE = 0.9  # Jaccard similarity of terms from which a passage only repeats another


@dataclass(frozen=True, slots=True)
class Passage:
    """A hit, or several that follow one another, with the terms and the numbers in it."""

    hit: Hit
    terms: frozenset[str]
    numbers: frozenset[Decimal]


def passage(hit: Hit) -> Passage:
    """The passage that a hit is by itself."""
    numbers = frozenset(one.value for one in numerals(hit.text))
    return Passage(hit, frozenset(analyse(hit.text)), numbers)


def joined(passages: Sequence[Passage], more: Passage) -> list[Passage]:
    """The passages and one more: in one piece with those that it overlaps or touches, in the place
    of the first of them, or behind them all.
    """
    found, at = list[Passage](), None
    for one in passages:
        if whole := _whole(one, more):
            more = whole
            at = len(found) if at is None else at
        else:
            found.append(one)
    found.insert(len(found) if at is None else at, more)
    return found


def repeats(one: Passage, passages: Sequence[Passage]) -> bool:
    """Whether a passage of another document, or of another place, says the same already."""
    return any(
        _alike(one.terms, other.terms) and one.numbers <= other.numbers for other in passages
    )


def _whole(one: Passage, other: Passage) -> Passage | None:
    """The two as one in the order of the document; None where something lies between."""
    ordered = sorted((one.hit, other.hit), key=lambda hit: (hit.chunk.start, hit.chunk.end))
    first, second = ordered
    place, following = first.chunk, second.chunk
    same = (place.document_id, place.version) == (following.document_id, following.version)
    if not same or following.start > place.end:
        return None
    text = first.text + second.text[place.end - following.start :]
    chunk = replace(place, end=max(place.end, following.end))
    rank, score = min(hit.rank for hit in ordered), max(hit.score for hit in ordered)
    hit = replace(first, chunk=chunk, text=text, rank=rank, score=score)
    return Passage(hit, one.terms | other.terms, one.numbers | other.numbers)


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * max(1, len(one | other))
