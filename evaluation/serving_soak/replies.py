"""What is read of a server's replies; what doesn't fit is malformed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


class Malformed(Exception):
    """A reply isn't what it should be."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Of a search."""

    document_id: str
    uri: str
    version: str
    start: int
    end: int
    text: str

    @property
    def said(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Citation:
    """Of an answer."""

    document_id: str
    uri: str
    version: str
    start: int
    end: int
    quote: str
    verified: bool

    @property
    def said(self) -> str:
        return self.quote


@dataclass(frozen=True, slots=True)
class Found:
    """By a search."""

    hits: Sequence[Hit]


@dataclass(frozen=True, slots=True)
class Answer:
    """To a question; where it abstains, `closest` is what comes nearest."""

    text: str
    citations: Sequence[Citation]
    closest: Sequence[Citation]
    hits: Sequence[Hit]
    abstained: bool


@dataclass(frozen=True, slots=True)
class Job:
    """A document on its way in."""

    id: str
    document_id: str
    uri: str
    state: str
    error: dict[str, str] | None

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Jobs:
    """Those of a request, or of a queue."""

    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True)
class Listed:
    """A document of a list."""

    id: str
    uri: str


@dataclass(frozen=True, slots=True)
class Documents:
    """A page of them; `total` in all."""

    total: int
    documents: Sequence[Listed]


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (Found, Answer, Job, Jobs, Documents)
}


def decoded(kind: type[T], content: bytes) -> T:
    """A reply's value, of one of the kinds above. Raises Malformed."""
    try:
        found: T = _ADAPTERS[kind].validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Malformed(f"malformed reply: {where}: {first['msg']}") from error
    return found
