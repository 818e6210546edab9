"""What a chat model is given to read: neighbours joined into one passage, repetitions left out."""

from collections.abc import Sequence
from dataclasses import replace

from retrieval.analysis import analyse
from retrieval.types import Hit
from retrieval.verifying.numerals import numerals

_ALIKE = 0.9  # Jaccard similarity of terms from which a passage only repeats another


def placed(passages: Sequence[Hit], hit: Hit) -> tuple[int, Hit]:
    """Where a hit goes among passages, and the passage that it makes there: joined with the one
    that it overlaps or touches, or by itself behind them all.
    """
    for at, passage in enumerate(passages):
        if whole := joined(passage, hit):
            return at, whole
    return len(passages), hit


def joined(one: Hit, other: Hit) -> Hit | None:
    """The two as one passage in the order of the document; None where something lies between."""
    first, second = sorted((one, other), key=lambda hit: (hit.chunk.start, hit.chunk.end))
    place, following = first.chunk, second.chunk
    same = (place.document_id, place.version) == (following.document_id, following.version)
    if not same or following.start > place.end:
        return None
    text = first.text + second.text[place.end - following.start :]
    chunk = replace(place, end=max(place.end, following.end))
    rank, score = min(one.rank, other.rank), max(one.score, other.score)
    return replace(first, chunk=chunk, text=text, rank=rank, score=score)


def repeats(hit: Hit, passages: Sequence[Hit]) -> bool:
    """Whether a passage of another document, or of another place, says the same already."""
    terms = frozenset(analyse(hit.text))
    said = {one.value for one in numerals(hit.text)}
    return any(
        _alike(terms, frozenset(analyse(passage.text)))
        and said <= {one.value for one in numerals(passage.text)}
        for passage in passages
    )


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= _ALIKE * max(1, len(one | other))
