"""Markdown: kept verbatim, because its source is what its author quotes and reads.

Headings are found as CommonMark does (https://spec.commonmark.org, sections 4.2 to 4.5): with
hashes or underlined, not in fenced or indented code, not in front matter.
"""

import re
from collections.abc import Iterator
from typing import Final

from ingest.parsers.characters import canonical
from ingest.parsers.detection import RawFile
from ingest.parsers.encoding import decode
from ingest.types import Parsed, ParseLimits
from retrieval.types import Heading

_FRONT_MATTER: Final = re.compile(r"---[ \t]*\n(.*?\n)??(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE: Final = re.compile(r"^title:[ \t]*+(\S.*)$", re.MULTILINE)
_HASHES: Final = re.compile(r" {0,3}(#{1,6})(?:[ \t]++(.*))?$")
_UNDERLINE: Final = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE: Final = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_NO_PARAGRAPH: Final = re.compile(r" {0,3}(>|[-+*][ \t]|\d{1,9}[.)][ \t]|\||<)|    |\t")


def parse_markdown(file: RawFile, _limits: ParseLimits) -> Parsed:
    """The source as it stands, its headings, and the title of its front matter or first heading."""
    text = canonical(decode(file.data, file.name, file.charset)).strip("\n")
    front = _FRONT_MATTER.match(text)
    headings = tuple(_headings(text, front.end() if front else 0))
    title = _TITLE.search(front[0]) if front else None
    return Parsed(
        text,
        file.kind.value,
        title=_unquoted(title[1].rstrip(" \t")) if title else _first_title(text, headings),
        headings=headings,
    )


def _headings(text: str, position: int) -> Iterator[Heading]:
    """The headings from `position` on. A span covers the words, without hashes or underline."""
    fence = ""
    paragraph: tuple[int, int] | None = None  # the lines that an underline would make a heading
    for line in text[position:].splitlines(keepends=True):
        start, position = position, position + len(line)
        line = line.rstrip("\n")
        opening = _FENCE.match(line)
        if fence:
            closing = line.strip()
            if closing.startswith(fence) and not closing.strip(fence[0]):
                fence = ""
        elif opening:
            fence, paragraph = opening[1], None
        elif found := _HASHES.match(line):
            paragraph = None
            if words := _unclosed(found[2] or ""):
                begun = start + found.start(2)
                yield Heading(begun, begun + len(words), len(found[1]))
        elif paragraph and (underline := _UNDERLINE.match(line)):
            yield Heading(*paragraph, 1 if underline[1][0] == "=" else 2)
            paragraph = None
        elif not line.strip():
            paragraph = None
        elif paragraph:
            paragraph = (paragraph[0], start + len(line.rstrip()))
        elif not _NO_PARAGRAPH.match(line):
            paragraph = (start + len(line) - len(line.lstrip()), start + len(line.rstrip()))


def _unclosed(words: str) -> str:
    """The words of a heading without the hashes that may close it."""
    words = words.rstrip(" \t")
    body = words.rstrip("#")
    return body.rstrip(" \t") if body.endswith((" ", "\t")) else words


def _unquoted(value: str) -> str:
    """A scalar of YAML without its quotes."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _first_title(text: str, headings: tuple[Heading, ...]) -> str | None:
    return next((text[each.start : each.end] for each in headings if each.level == 1), None)
