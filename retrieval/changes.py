"""What differs between two of a kind: values by name, texts by line, places."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Protocol, TypeVar


@dataclass(frozen=True, slots=True)
class Change:
    """Something that was one thing and is another."""

    name: str
    before: str
    after: str


class Placed(Protocol):
    """What stands somewhere in a version of a document."""

    @property
    def document_id(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


P = TypeVar("P", bound=Placed)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """The values that differ, by their names; those of a mapping inside have a dot before."""
    old, new = dict(_flat(before)), dict(_flat(after))
    return tuple(
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    )


def diff(before: str, after: str) -> tuple[str, ...]:
    """The lines of a unified diff; none between equal texts."""
    lines = before.split("\n"), after.split("\n")
    return tuple(unified_diff(*lines, "stored", "now", lineterm=""))


def place(one: Placed) -> tuple[str, str, int, int]:
    return one.document_id, one.version, one.start, one.end


def missing(these: Sequence[P], those: Sequence[P]) -> tuple[P, ...]:
    """Those of the first that stand nowhere among the second."""
    known = set(map(place, those))
    return tuple(one for one in these if place(one) not in known)


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        if isinstance(one, Mapping):
            yield from _flat(one, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(one)
