"""Conversations: what was said before, and what a question means without it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.question import content_terms

_FEW = 2  # content terms of a question that says too little alone

_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|she|his|her|there|the same|instead"
    r"|what about|how about|and (?:if|for|the|what|how)|else)\b"
    r"|[它他她]|这个|那个|这些|那些|这种|那种|其中|上述|呢[?？]?$|^那|^还有",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said: `role` is "user", "assistant" or "system"."""

    role: str
    content: str


def standalone(question: str, history: Sequence[Turn]) -> str:
    """What to search for: the question, after the one before where it points back to that.

    By words alone: a pronoun, "what about", or hardly a term of its own.
    """
    asked = [turn.content for turn in history if turn.role == "user" and turn.content.strip()]
    if not asked:
        return question
    if _POINTS_BACK.search(question) or len(content_terms(question)) < _FEW:
        return f"{asked[-1].strip()}\n{question}"
    return question
