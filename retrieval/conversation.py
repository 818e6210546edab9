"""Conversations: what was said before, and what a question means without it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.question import content_terms

_FEW = 2  # content terms of a question that says too little alone
_ENOUGH = 4  # of one that stands alone although it has a word that may point anywhere
_FARTHEST = 3  # questions back

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|she|his|him|hers?|the same|instead|what about"
    r"|how about|and (?:if|for|the|what|how|in|on|after|before)|else)\b"
    r"|[它他她]|这个|那个|这些|那些|这种|那种|其中|上述|呢[?？]?$|^那|^还有",
    re.IGNORECASE,
)
# "Is there ..." points nowhere; "a rule that ..." and "this year" needn't.
_MAY_POINT_BACK = re.compile(
    r"\b(?:this|that|these|those|then|such)\b"
    r"|(?<!\bis )(?<!\bare )(?<!\bwas )(?<!\bwere )\bthere\b",
    re.IGNORECASE,
)
# What is meant stands before it: "What is a relay, and how does it work?"
_NAMED_FIRST = re.compile(r"\b(?:and|or|if|when|while|because|but)\b|[，,；;]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said: `role` is "user", "assistant" or "system"."""

    role: str
    content: str


def standalone(question: str, history: Sequence[Turn]) -> str:
    """What to search for: the question, after those before it that it points back to.

    By words alone: a pronoun, "what about", or hardly a term of its own. A question that stands by
    itself begins another topic, and what was asked before is left out.
    """
    asked = [turn.content.strip() for turn in history if turn.role == "user"]
    needed = [question]
    for before in reversed([one for one in asked if one][-_FARTHEST:]):
        if not _points_back(needed[0]):
            break
        needed.insert(0, before)
    return "\n".join(needed)


def _points_back(question: str) -> bool:
    terms = len(content_terms(question))
    if terms < _FEW:
        return True
    if found := _POINTS_BACK.search(question):
        named = _NAMED_FIRST.search(question, 1, found.start())
        return named is None or len(content_terms(question[: named.start()])) < _FEW
    return terms < _ENOUGH and bool(_MAY_POINT_BACK.search(question))
