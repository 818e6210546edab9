"""What a document holds and doesn't show: it is left out of the text, and that is told.

Nobody who reads the document could check a quote of it, and whoever hides words mostly means them
for a language model. Invisible letters of a PDF are kept, and told all the same: that is how the
text of a scan is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_MOST = 5  # that are told one by one
_EXCERPT = 60  # characters


@dataclass(frozen=True, slots=True)
class Hidden:
    """Text that isn't shown: the way in which it is hidden, where, if that is known, and whether it
    is kept all the same.
    """

    text: str
    way: str
    where: str = ""
    kept: bool = False


def told(found: Sequence[Hidden]) -> tuple[str, ...]:
    """Warnings about it."""
    lines = [_told(one) for one in found[:_MOST]]
    if more := found[_MOST:]:
        count = sum(len(one.text) for one in more)
        lines.append(f"Hidden like this: {count:,} characters in {len(more):,} more places.")
    return tuple(lines)


def _told(one: Hidden) -> str:
    said = " ".join(one.text.split())
    excerpt = said if len(said) <= _EXCERPT else f"{said[:_EXCERPT]}..."
    where = f" on {one.where}" if one.where else ""
    done = "Kept though it isn't seen" if one.kept else "Left out as hidden"
    return f"{done}: {len(said):,} characters{where} ({one.way}): “{excerpt}”"
