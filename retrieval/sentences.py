"""Where sentences begin and end, in Latin and CJK scripts, as spans of the text.

A blank line always ends a sentence. A single line break does where a list item, a heading, a
table row or a short line says that it isn't just a wrapped line. Full stops of abbreviations,
initials and numbers don't.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """Code points `start` to `end` of a text, without white space at either end."""

    start: int
    end: int


_BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
_ITEM = re.compile(
    r"[^\S\n]*(?:[-*+•◦▪‣·●○■–—]\s|#{1,6}\s|\||>|(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]\s"
    r"|[(（]?[一二三四五六七八九十\d]{1,3}[)）、．]|```)"
)
_ROW = re.compile(r"\|")
_CLOSERS = "\"'”’»›」』）)]】》〉"
_END = re.compile(
    rf"[。！？｡!?…‼⁇⁈⁉؟।]+[{re.escape(_CLOSERS)}]*|(?<!\.)\.++[{re.escape(_CLOSERS)}]*+(?=\s)"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_HIRAGANA = re.compile(r"[\u3041-\u309f]")
_WORD_BEFORE = re.compile(r"[\w.’'&-]*$")
_CLAUSE_START = re.compile(r"\s+[(\[{\"'“‘«]*(?P<first>\w)?")

_SHORT_LINE = 45  # columns; prose is wrapped later than this, CJK counting twice

_ABBREVIATIONS = frozenset(
    """
    al approx apr art aug ave bros c ca capt cf ch cir co col cong corp ct dec dept dr ed eds eg
    e.g etc ex feb fig figs gen gov hon i.e ie inc jan jr jul jun lt ltd maj mar messrs mr mrs ms
    mt n no nos nov oct op p pp para ph.d prof pt rep rev sec sen sep sept sess sr st stat supp
    tab univ v viz vol vs a.m p.m u.s u.s.c u.k u.n
    """.split()
)
# After these a capital letter begins a new sentence more often than not.
_MAY_END = frozenset({"etc", "inc", "ltd", "co", "corp", "jr", "sr", "a.m", "p.m", "u.s", "u.k"})


def sentences(text: str) -> list[Span]:
    """The sentences of a text in order; together they hold all that isn't white space."""
    found: list[Span] = []
    for start, end in _lines(text):
        found.extend(_within(text, start, end))
    return found


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of text that a line break of some meaning separates."""
    paragraph = 0
    for blank in [*_BLANK_LINES.finditer(text), None]:
        end = blank.start() if blank else len(text)
        start = line = paragraph
        while (at := text.find("\n", line, end)) >= 0:
            if _breaks(text, line, at, end):
                yield start, at
                start = at + 1
            line = at + 1
        yield start, end
        paragraph = blank.end() if blank else end


def _breaks(text: str, line: int, at: int, end: int) -> bool:
    """Whether the line break at `at` ends more than a line; `line` is where its line began."""
    if _ITEM.match(text, at + 1, end) or _ROW.search(text, line, at):
        return True
    # A heading of Markdown, or a line too short to have been wrapped.
    columns = at - line + len(_CJK.findall(text, line, at))
    return text.startswith("#", line) or columns < _SHORT_LINE


def _within(text: str, start: int, end: int) -> Iterator[Span]:
    if _ROW.search(text, start, end) and text[start:end].count("|") > 1:
        yield from _stripped(text, start, end)  # a table row is one unit
        return
    begin = start
    for mark in _END.finditer(text, start, end):
        if _ends_sentence(text, begin, mark, end):
            yield from _stripped(text, begin, mark.end())
            begin = mark.end()
    yield from _stripped(text, begin, end)


def _ends_sentence(text: str, begin: int, mark: re.Match[str], end: int) -> bool:
    sign = mark.group()[0]
    if sign in "。！？｡‼⁇⁈⁉؟।":  # 「はい。」と: a particle after the quotation goes on with it
        return mark.group()[-1] not in _CLOSERS or not _HIRAGANA.match(text, mark.end(), end)
    following = _CLAUSE_START.match(text, mark.end(), end)
    if following is None:  # no white space: a number, a file name, or CJK after "!"
        after = text[mark.end() : mark.end() + 1]
        return sign in "!?" and bool(_CJK.match(after))
    first = following["first"]
    if first is not None and first.islower():
        return False
    if sign != ".":
        return True
    before = _WORD_BEFORE.search(text, max(begin, mark.start() - 20), mark.start())
    word = before.group().strip("’'-").lower() if before else ""
    if word in _ABBREVIATIONS:
        return word in _MAY_END and first is not None and first.isupper()
    if len(word) == 1 and word.isascii() and word.isalpha():
        return text[mark.start() - 1].islower()  # else an initial
    # "1. Introduction": a number alone before the full stop belongs to what follows.
    return not (word.isdigit() and text[begin : mark.start()].strip() == word)


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield Span(start, end)
