"""What speaks for a sentence as the answer to a question: numbers that don't need a reader.

A sentence rarely repeats all of its subject: the heading names it, or the sentence before. So its
terms are counted alone and with what stands around it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.analysis import analyse
from retrieval.question import Terms, names, numbers
from retrieval.reading.answer_kinds import asked_for, offers
from retrieval.sentences import Span, sentences
from retrieval.types import Hit


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of a hit: the `at`-th, and its span in the document."""

    hit: Hit
    at: int
    span: Span
    text: str
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Features:
    """Of a candidate. Coverage is the share of the question's terms, by weight, in [0, 1].

    `cosine` is to the question, `near_cosine` the highest of the sentence's and its neighbours'.
    `coverage` is that of the sentence with the headings above it, `after_coverage` with the
    sentence before it too, `passage_coverage` of the whole hit; `passage_score` is the hit's by the
    search, over that of the best. `kind` is 1 where the sentence offers what the question asks for.
    `novelty` is the share of its terms that the question doesn't have, `length` the logarithm of
    their number, `first` 1 at the beginning of a hit. `lacks_number` is 1 where the question has a
    number that neither the sentence has nor what `after_coverage` looks at, `lacks_name` where it
    has a name that the whole hit hasn't.
    """

    cosine: float
    near_cosine: float
    coverage: float
    after_coverage: float
    passage_coverage: float
    passage_score: float
    kind: float
    novelty: float
    length: float
    first: float
    lacks_number: float
    lacks_name: float


def candidates(hits: Sequence[Hit], most: int) -> list[list[Candidate]]:
    """The sentences of each hit, as many as `most` allows in all, the best hits' first."""
    found: list[list[Candidate]] = []
    for hit in hits:
        spans = sentences(hit.text)[:most]
        if not spans:
            break
        most -= len(spans)
        found.append([_candidate(hit, at, span) for at, span in enumerate(spans)])
    return found


def _candidate(hit: Hit, at: int, span: Span) -> Candidate:
    text = " ".join(hit.text[span.start : span.end].split())
    place = Span(hit.chunk.start + span.start, hit.chunk.start + span.end)
    return Candidate(hit, at, place, text, frozenset(analyse(text)))


def features(
    question: str,
    terms: Terms,
    found: Sequence[Sequence[Candidate]],
    cosines: Sequence[float],
) -> list[Features]:
    """Of each candidate, one hit after the other; `cosines` to the question in that order."""
    own = frozenset(analyse(question))
    kind = asked_for(question)
    asked_numbers, asked_names = numbers(question), names(question)
    best = max((group[0].hit.score for group in found), default=0.0) or 1.0
    made: list[Features] = []
    for group in found:
        near = cosines[len(made) : len(made) + len(group)]
        hit = group[0].hit
        above = frozenset(analyse("\n".join([hit.title, *hit.chunk.heading])))
        every = above.union(*(one.terms for one in group))
        passage = terms.coverage(every)
        for at, one in enumerate(group):
            before = group[at - 1].terms if at else frozenset[str]()
            near_terms = one.terms | above | before
            made.append(
                Features(
                    cosine=near[at],
                    near_cosine=max(near[max(0, at - 1) : at + 2]),
                    coverage=terms.coverage(one.terms | above),
                    after_coverage=terms.coverage(near_terms),
                    passage_coverage=passage,
                    passage_score=hit.score / best,
                    kind=float(offers(one.text, kind, question)),
                    novelty=len(one.terms - own) / max(1, len(one.terms)),
                    length=math.log1p(len(one.terms)),
                    first=float(at == 0),
                    lacks_number=float(not asked_numbers <= near_terms),
                    lacks_name=float(not asked_names <= every),
                )
            )
    return made
