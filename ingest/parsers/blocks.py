"""Blocks: what a structured file is taken apart into before it becomes one text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingest.parsers.characters import tidy
from retrieval.types import Heading


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
