"""Where in an answer's Markdown the text stands that readers see of it.

A parser tells the lines of a block, not the columns of its words. But a block's letters and digits
are those of its lines, in their order: all but the numbers of list items, which come before them,
and the cells that a table has no column for, which come behind. So letters are counted, and what
stands between two of them is looked for between them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from markdown_it.token import Token

_TEXTS = frozenset({"text", "text_special", "code_inline"})
_CODE = frozenset({"fence", "code_block"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A token whose content is seen, and the offset of each of its characters in the source.
    `places` is empty where source and content don't fit; `block` is the span of its lines.
    """

    token: Token
    places: Sequence[int]
    block: slice


def seen(source: str, tokens: Sequence[Token]) -> Iterator[Seen]:
    """What is seen of a source, which has `\\n` at the end of its lines, in its order.

    Escapes and entities are tokens of their own: without the rule `text_join`.
    """
    lines = [0, *(found.end() for found in re.finditer("\n", source)), len(source)]
    for (first, last, is_row), group in groupby(_texts(tokens), itemgetter(0)):
        block = slice(lines[first], lines[last])
        texts = [token for _, token in group]
        places = _places(source, block, "".join(map(_written, texts)), is_row)
        at = 0
        for token in texts:
            end = at + len(_written(token))
            own = places[at:end]
            # An entity is seen as another character than it is written with.
            own = own if token.type != "text_special" else own[-1:] * len(token.content)
            yield Seen(token, own, block)
            at = end


def _texts(tokens: Sequence[Token]) -> Iterator[tuple[tuple[int, int, bool], Token]]:
    """The tokens that are seen, each with the lines of its block, and whether it is a table's row
    that may have more cells than are seen.
    """
    is_row = False
    for token in tokens:
        if token.nesting > 0:
            is_row = token.type == "td_open"
        if token.map is None:
            continue
        first, last = token.map
        if token.type in _CODE:
            # What is said of a fence in its first line isn't seen.
            yield (first + (token.type == "fence"), last, False), token
        for child in token.children or ():
            if child.type in _TEXTS:
                yield (first, last, is_row), child


def _written(token: Token) -> str:
    return token.markup if token.type == "text_special" else token.content


def _places(source: str, block: slice, written: str, is_row: bool) -> list[int]:
    """The offset of each character; none where the letters aren't those of the block."""
    letters = [at for at in range(block.start, block.stop) if source[at].isalnum()]
    count = sum(map(str.isalnum, written))
    letters = letters[:count] if is_row else letters[len(letters) - count :]
    if [source[at] for at in letters] != list(filter(str.isalnum, written)):
        return []
    places, at, passed = [], block.start, 0
    for character in written:
        if character.isalnum():
            at, passed = letters[passed], passed + 1
        else:
            until = letters[passed] if passed < count else block.stop
            at = max(at, source.find(character, at, until))
        places.append(at)
    return places
