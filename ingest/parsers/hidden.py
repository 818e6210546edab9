"""What a document holds and doesn't show: it is left out of the text, and that is told.

Nobody who reads the document could check a quote of it, and whoever hides words mostly means them
for a language model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST = 5  # that are told one by one
_EXCERPT = 60  # characters


@dataclass(frozen=True, slots=True)
class Hidden:
    """Text that isn't shown: the way in which it is hidden, and where, if that is known."""

    text: str
    way: str
    where: str = ""


def told(found: Sequence[Hidden]) -> tuple[str, ...]:
    """Warnings about what was left out."""
    lines = [_told(one) for one in found[:_MOST]]
    if more := found[_MOST:]:
        count = sum(len(one.text) for one in more)
        lines.append(f"Left out as hidden: {count:,} characters in {len(more):,} more places.")
    return tuple(lines)


def _told(one: Hidden) -> str:
    said = " ".join(one.text.split())
    excerpt = said if len(said) <= _EXCERPT else f"{said[:_EXCERPT]}..."
    where = f" on {one.where}" if one.where else ""
    return f"Left out as hidden: {len(said):,} characters{where} ({one.way}): “{excerpt}”"
