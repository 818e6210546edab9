"""Questions and documents unlike any other of a run: a server knows what it has embedded before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, cycle

from evaluation.beir import Entry
from evaluation.errors import DatasetError

_PREFIX = "footnote-bench"
_TITLE = 400  # characters


@dataclass(frozen=True, slots=True)
class Document:
    """A text as it is sent."""

    uri: str
    title: str
    text: str


def questions(asked: Sequence[str], first: int, *, as_they_are: bool) -> Iterator[str]:
    """Questions without an end, each with a number of its own after it, or as they are."""
    for number, question in zip(count(first), cycle(asked), strict=False):
        yield question if as_they_are else f"{question} {number}"


def documents(corpus: Sequence[Entry], run: str) -> Iterator[Document]:
    """Documents without an end: the texts of a set, then copies that say which they are.

    Where a `run` has a name, it is in all of them: their vectors may be known from another run.
    Raises DatasetError where no document has a text.
    """
    entries = [entry for entry in corpus if entry.text.strip()]
    if not entries:
        raise DatasetError("No document of the set has a text.")
    return _without_end(entries, run)


def _without_end(entries: Sequence[Entry], run: str) -> Iterator[Document]:
    for copy in count():
        mark = " ".join(part for part in (run, f"copy {copy}" if copy else "") if part)
        place = "/".join(part for part in (_PREFIX, run, str(copy)) if part)
        for entry in entries:
            title, text = entry.title[:_TITLE].strip(), entry.text
            if mark:
                title, text = f"{mark} {title}".strip(), f"{mark}: {text}"
            yield Document(f"{place}/{entry.id}", title, text)
