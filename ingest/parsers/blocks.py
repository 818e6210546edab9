"""Blocks: what a structured file is taken apart into before it becomes one text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.parsers.characters import tidy
from retrieval.types import Heading, Page

_BLANK = "\n\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading (`level` from 1) or a line of a list or table (`tight`).

    A blank line stands between two blocks, but for two tight ones.
    """

    text: str
    level: int = 0
    tight: bool = False


def row(cells: Sequence[str]) -> Block:
    """One row of a table. Empty cells, which mostly serve layout, are left out."""
    return Block(" | ".join(cell for cell in cells if cell), tight=True)


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks that stand in one place, such as a slide; `label` is what a reader calls it."""

    label: str
    blocks: Iterable[Block]


def assemble_sections(
    sections: Iterable[Section],
) -> tuple[str, tuple[Heading, ...], tuple[Page, ...]]:
    """The canonical text of sections, its headings, and a page a section."""
    parts: list[str] = []
    headings: list[Heading] = []
    pages: list[Page] = []
    length = 0
    for section in sections:
        text, found = assemble(section.blocks)
        if not text:
            continue
        if parts:
            # The blank line after a page belongs to it.
            pages[-1] = replace(pages[-1], end=length + len(_BLANK))
            parts.append(_BLANK)
            length += len(_BLANK)
        headings += [Heading(h.start + length, h.end + length, h.level) for h in found]
        pages.append(Page(len(pages) + 1, length, length + len(text), section.label))
        parts.append(text)
        length += len(text)
    return "".join(parts), tuple(headings), tuple(pages)


def assemble(blocks: Iterable[Block]) -> tuple[str, tuple[Heading, ...]]:
    """The canonical text of blocks, and the spans of the headings in it."""
    parts: list[str] = []
    headings: list[Heading] = []
    length = 0
    previous = Block("")
    for block in blocks:
        text = tidy(block.text)
        if not text.strip():
            continue
        if parts:
            parts.append("\n" if block.tight and previous.tight else "\n\n")
            length += len(parts[-1])
        if block.level:
            headings.append(Heading(length, length + len(text), block.level))
        parts.append(text)
        length += len(text)
        previous = block
    return "".join(parts), tuple(headings)
