"""The source of a document: a few `key: value` lines, `---`, then blocks between blank lines.

    ## Heading          one # for the title, two for a chapter, three for a section
    - item              a list; `1.` for a numbered one
    | cell | cell |     a table, its first row the header
    ---                 the next page
    ***                 the next page, and page numbers begin at 1
    [contents]          a table of contents

Anything else is a paragraph. It is a small part of Markdown, so a source reads well anywhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    lines: tuple[str, ...]
    numbered: bool


@dataclass(frozen=True, slots=True)
class Table:
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    restarts_numbers: bool


@dataclass(frozen=True, slots=True)
class Contents:
    pass


Block: TypeAlias = Heading | Paragraph | Items | Table | PageBreak | Contents


@dataclass(frozen=True, slots=True)
class Source:
    """A document before it is set: what is said of it, and its blocks in reading order."""

    fields: Mapping[str, str]
    blocks: tuple[Block, ...]


def read_source(path: Path) -> Source:
    """The source in a file. Raises ValueError where a line of its head isn't `key: value`."""
    head, _, body = path.read_text(encoding="utf-8").partition("\n---\n")
    fields: dict[str, str] = {}
    for line in head.splitlines():
        key, colon, value = line.partition(": ")
        if not colon:
            raise ValueError(f"{path}: {line!r} is not of the form 'key: value'")
        fields[key] = value
    return Source(fields, tuple(_blocks(body)))


def _blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n{2,}", body.strip()):
        yield _block(part)


def _block(part: str) -> Block:
    if heading := re.fullmatch(r"(#{1,3}) (.+)", part):
        return Heading(len(heading[1]), heading[2])
    if part in ("---", "***"):
        return PageBreak(restarts_numbers=part == "***")
    if part == "[contents]":
        return Contents()
    lines = part.splitlines()
    if part.startswith("| "):
        return Table(
            tuple(tuple(c.strip() for c in line.strip("| ").split(" | ")) for line in lines)
        )
    if marker := re.match(r"- |1\. ", part):
        items = tuple(re.sub(r"^(- |\d+\. )", "", line) for line in lines)
        return Items(items, numbered=marker[0] != "- ")
    return Paragraph(part)
