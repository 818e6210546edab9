"""Who asks, and what exists for them: the one place that restricts every read.

A request says who asks; from then on, in its threads too, knowledge bases that the asker has no
key for are missing, as is what is looked up by an id of its own and belongs to one. What the
process does of itself is asked by nobody, and sees everything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, select, true

from retrieval.schema import knowledge_bases


class Scope(StrEnum):
    """What a key is for; none includes another."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: the holder of a key, somebody without one, or anybody while there are none.

    `knowledge_bases` are those that exist for them, by name; None: all. `max_documents` is how
    many these may hold together, as far as the principal adds to them.
    """

    key_id: str = ""
    scopes: frozenset[Scope] = frozenset()
    knowledge_bases: frozenset[str] | None = frozenset()
    max_documents: int | None = None

    @property
    def sees_all(self) -> bool:
        return self.knowledge_bases is None


NOBODY = Principal()
ANYBODY = Principal(scopes=frozenset(Scope), knowledge_bases=None)
"""Whoever asks a server that has no keys."""

_asking: ContextVar[Principal | None] = ContextVar("asking", default=None)


def asking() -> Principal | None:
    """Who asks; None where the process works of itself."""
    return _asking.get()


@contextmanager
def acting_as(principal: Principal) -> Iterator[None]:
    """What is read in the block is read by this principal."""
    token = _asking.set(principal)
    try:
        yield
    finally:
        _asking.reset(token)


def may_see(name: str) -> bool:
    """Whether a knowledge base of that name, be there one or not, could exist for who asks."""
    names = _names()
    return names is None or name in names


def restricted(kb_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a row belongs to a knowledge base that exists for who asks."""
    names = _names()
    if names is None:
        return true()
    return kb_id.in_(select(knowledge_bases.c.id).where(knowledge_bases.c.name.in_(names)))


def _names() -> frozenset[str] | None:
    principal = _asking.get()
    return None if principal is None else principal.knowledge_bases
