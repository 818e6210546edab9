"""A model's answer as it comes: words at once, and sentence by sentence the sources it marks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.sentences import sentences

# Not an index, as in a[0] or [12345]; a single letter of Chinese, Japanese or Korean has none. In
# as many brackets at its end as at its beginning.
# White space is matched from where it begins, or a long run of it would be read from each place.
_MARK = re.compile(
    r"(?:(?<!\s)\s+|(?<!\w)|(?<=\w\w)|(?<=[\d\u3005-\u30ff\u3400-\u9fff\uac00-\ud7a3]))"
    r"(?P<twice>[\[【［])?[\[【［]\s?"
    r"(?:sources?\s?:?\s?|\^)?(?P<numbers>[1-9]\d{0,2}(?:\s?[,，、;–-]\s?[1-9]\d{0,2})*)\s?[\]】］]"
    r"(?(twice)[\]】］])",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"(\d+)(?:\s?[–-]\s?(\d+))?")
_LONGEST_RANGE = 20
_LEADING = re.compile(rf"(?:{_MARK.pattern})+", re.IGNORECASE)
_PARTIAL = re.compile(
    r"(?:(?<!\s)\s+)?[\[【［](?:[^\]】］]{0,20}|[\[【［][^\]】］]{0,20}[\]】］])$"
)
_ENDS = re.compile(r"[.!?…。！？｡‼⁇⁈⁉؟।|\n]")  # without one of these nothing ends a sentence
_LOOK = 64  # characters after it, by which it is decided
_LONGEST = 2_000  # characters: a sentence that is longer is checked in parts
# No letter, no digit: the rule under a table's head, the end of code; or its beginning, with the
# name of its language.
_SILENT = re.compile(r"[\W_]*|(?:`{3,}|~{3,})\s?[^\s`]{0,20}")
# What stands after a line break may turn out to be an item of a list, which begins a sentence.
_UNDECIDED = re.compile(r"(?<!\s)(?:\s+|\s*\n[^\n]{0,8}|\s+[(\[{\"'“‘«]{1,9})$")


@dataclass(frozen=True, slots=True)
class Words:
    """A part of a sentence that is still being said."""

    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence without its marks, and the sources that it names. `unsaid` is the part of it that
    wasn't given as words, `trail` the white space after it.
    """

    text: str
    unsaid: str
    trail: str
    marks: tuple[int, ...]

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing that could be checked: marks alone, or what only parts others."""
        return _SILENT.fullmatch(self.text) is not None


class Claims:
    """Takes an answer as it comes. Gives its words as soon as they can be no mark, and a sentence
    as soon as it is whole: words and claims, put together, are the answer without its marks.
    """

    def __init__(self) -> None:
        self._rest = ""
        self._given = 0  # characters of what is left that were looked at for words
        self._said = 0  # characters that were given as words

    def add(self, text: str) -> list[Words | Claim]:
        """What there is now. A sentence isn't whole until another begins."""
        end = len(self._rest) - _LOOK
        self._rest += text
        whole = list(self._whole()) if _ENDS.search(self._rest, max(0, end)) else []
        words = list(self._words())
        return [*whole, *words, *self._part()]

    def end(self) -> list[Claim]:
        """What is left, when nothing more comes."""
        found = [*self._whole(), *([self._claim(len(self._rest))] if self._rest.strip() else [])]
        self._rest, self._given, self._said = "", 0, 0
        return found

    def _whole(self) -> Iterator[Claim]:
        while cut := self._cut():
            yield self._claim(cut)

    def _cut(self) -> int | None:
        """Where the first sentence ends with its marks, if it is whole. What was given as words
        stays together.
        """
        for following in sentences(self._rest)[1:]:
            cut = following.start
            # Marks after the full stop belong before it; one that is still coming may be such.
            while leading := _LEADING.match(self._rest, cut):
                cut = leading.end()
            if _PARTIAL.match(self._rest, cut) or not self._rest[cut:].strip():
                return None
            cut = len(self._rest) - len(self._rest[cut:].lstrip())
            if len(_bare(self._rest[:cut]).rstrip()) >= self._said:
                return cut
        return None

    def _part(self) -> Iterator[Claim]:
        """What was said of a sentence that doesn't end."""
        if self._given > _LONGEST:
            yield self._claim(self._given)

    def _claim(self, cut: int) -> Claim:
        text = self._rest[:cut]
        bare = _bare(text)
        named = (found["numbers"] for found in _MARK.finditer(text))
        marks = [number for numbers in named for number in _numbers(numbers)]
        body = bare.rstrip()
        trail = text[len(text.rstrip()) :]
        claim = Claim(body.strip(), body[self._said :], trail, tuple(dict.fromkeys(marks)))
        self._rest, self._given, self._said = self._rest[cut:], 0, 0
        return claim

    def _words(self) -> Iterator[Words]:
        partial = _PARTIAL.search(self._rest, self._given)
        until = partial.start() if partial else len(self._rest)
        undecided = _UNDECIDED.search(self._rest, self._given, until)
        until = undecided.start() if undecided else until
        words = _bare(self._rest, self._given, until)
        self._given, self._said = until, self._said + len(words)
        if words:
            yield Words(words)


def _numbers(mark: str) -> Iterator[int]:
    """Those that a mark names, and those between them: 1, 3-5."""
    for found in _NUMBERS.finditer(mark):
        first = int(found[1])
        last = int(found[2] or first)
        yield from range(first, last + 1) if 0 <= last - first < _LONGEST_RANGE else (first, last)


def _bare(text: str, start: int = 0, end: int | None = None) -> str:
    """Without its marks. What stands before `start` tells a mark from an index, and isn't given."""
    end = len(text) if end is None else end
    parts = []
    for mark in _MARK.finditer(text, start, end):
        parts.append(text[start : mark.start()])
        start = mark.end()
    return "".join([*parts, text[start:end]])
