"""The sentences of an answer that aren't verified, in the Markdown that it is written in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from api.places import Seen
from retrieval.types import Outcome, Statement

_LINE_END = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Where such a sentence stands, and what was found out about it."""

    start: int
    end: int
    outcome: Outcome


def plain(text: str) -> str:
    """A text with the line ends that a parser of Markdown sees, and without what it replaces."""
    return _LINE_END.sub("\n", text).replace("\0", "\ufffd")


def doubts(statements: Sequence[Statement], text: str) -> Iterator[Doubt]:
    """The doubtful ones of an answer's statements, as spans of its plain text, in their order."""
    after = 0
    for statement in statements:
        said = plain(statement.text)
        # One that isn't there is still doubted, where it should be.
        start = max(after, text.find(said, after))
        after = start + len(said)
        if statement.outcome is not Outcome.VERIFIED:
            yield Doubt(start, after, statement.outcome)
        # The number in its mark may be the next one's only word.
        marks = " " + "".join(f"[{marker}]" for marker in statement.markers)
        after += len(marks) if text.startswith(marks, after) else 0


def mark_unseen(
    tokens: Sequence[Token], source: str, shown: Sequence[Seen], found: Sequence[Doubt]
) -> None:
    """Gives its outcome, as a class, to the whole block of each sentence of which no letter is
    seen: the number of an item that is empty, what is said of code in the first line of its fence.
    """
    places = {at for one in shown for at in one.places}
    innermost = {
        line: token
        for token in tokens
        if token.map and token.tag and not token.hidden
        for line in range(*token.map)
    }
    for doubt in found:
        span = range(doubt.start, min(doubt.end, len(source)))
        letters = [at for at in span if source[at].isalnum()]
        if letters and places.isdisjoint(letters):
            line = source.count("\n", 0, letters[0])
            if block := innermost.get(line):
                block.attrSet("class", doubt.outcome)
