"""How often a verifier sees that a sentence was changed, and how often it takes a true one for
changed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation.beir import Entry
from evaluation.corruptions import Corruption, corrupted, names
from evaluation.significance import Interval, interval
from retrieval.question import is_chinese
from retrieval.sentences import sentences
from retrieval.types import Chunk, Hit, Outcome
from retrieval.verifying.verifier import Verifier

_SHORTEST, _LONGEST = 20, 400  # characters of a sentence that says enough to be checked
_SHORTEST_CHINESE = 10


@dataclass(frozen=True, slots=True)
class Detection:
    """Of one kind: the shares, in [0, 1], of changed sentences that aren't verified, of those the
    ones that are told to be contradicted, and of the same sentences unchanged that aren't verified.
    """

    pairs: int
    detected: Interval
    contradicted: float
    false_alarms: Interval


@dataclass(frozen=True, slots=True)
class _Pair:
    """A sentence of a passage, the same changed, and the passage that this is held against."""

    sentence: str
    changed: str
    passage: Hit
    against: Hit


def measure(
    verifier: Verifier,
    corpus: Sequence[Entry],
    most: int,
    seed: int,
    watch: Callable[[int], None],
) -> dict[Corruption, Detection]:
    """By kind, on at most so many sentences of the corpus each."""
    found: dict[Corruption, Detection] = {}
    done = 0
    for kind in Corruption:
        pairs = _pairs(corpus, kind, most, random.Random(f"{kind} {seed}"))  # noqa: S311
        changed: list[Outcome] = []
        same: list[Outcome] = []
        for pair in pairs:
            changed.append(verifier.verify(pair.changed, [pair.against]).outcome)
            same.append(verifier.verify(pair.sentence, [pair.passage]).outcome)
            done += 1
            watch(done)
        if pairs:
            missed = [one is Outcome.VERIFIED for one in changed]
            found[kind] = Detection(
                pairs=len(pairs),
                detected=interval([float(not one) for one in missed]),
                contradicted=fmean(one is Outcome.CONTRADICTED for one in changed),
                false_alarms=interval([float(one is not Outcome.VERIFIED) for one in same]),
            )
    return found


def _pairs(
    corpus: Sequence[Entry], kind: Corruption, most: int, chance: random.Random
) -> list[_Pair]:
    """Of sentences by chance, one of each passage in turn, that can be changed in this way."""
    hits = [as_hit(entry) for entry in corpus]
    order = [
        (number, span)
        for number, hit in enumerate(hits)
        for span in sentences(hit.text)
        if _says_enough(hit.text[span.start : span.end])
    ]
    chance.shuffle(order)
    made: list[_Pair] = []
    for number, span in order:
        if len(made) == most:
            break
        own, other = hits[number], hits[_another(number, len(hits), chance)]
        sentence = own.text[span.start : span.end]
        changed = corrupted(sentence, kind, names(other.text), chance)
        if changed is not None:
            against = other if kind is Corruption.PASSAGE else own
            made.append(_Pair(sentence, changed, own, against))
    return made


def _another(number: int, count: int, chance: random.Random) -> int:
    return (number + chance.randrange(1, count)) % count if count > 1 else number


def _says_enough(text: str) -> bool:
    return (_SHORTEST_CHINESE if is_chinese(text) else _SHORTEST) <= len(text) <= _LONGEST


def as_hit(entry: Entry) -> Hit:
    """A document as if a search had found it whole."""
    chunk = Chunk(entry.id, entry.id, "", 0, 0, len(entry.text), (), "", 0)
    return Hit(chunk, entry.id, entry.title, entry.text, None, 1.0, 1, ())
